"""What must come of the demo's webhooks: typed by hand, from the samples and the published page."""

from sandbox.demo.lines import PROFILE

# The second webhook about the first payment is the same one again; the one that is refused is none at all.
ANSWERS = [202, 202, 200] + [202] * 27 + [400] + [202] * 4

JOHN, JANE, GRACE, MIA = "john@example.com", "jane@example.com", "grace@example.com", "mia@example.com"

EVENTS = [
    ("Placed Order", "1668", JOHN),
    ("Ordered Product", "1668_1", JOHN),
    ("Started Subscription", "1668_1_sub", JOHN),
    ("Order Auth", "1672", JOHN),
    ("Voided Order", "1676", JOHN),
    ("Declined Order", "1670", JOHN),
    ("Placed Non-Recurring Order", "1690", GRACE),
    ("Ordered Product", "1690_7", GRACE),
    ("Placed Order", "1695", JOHN),
    ("Ordered Product", "1695_1", JOHN),
    ("Ordered Product", "1695_7", JOHN),
    ("Started Subscription", "1695_1_sub", JOHN),
    ("Placed Order", "1697", JANE),
    ("Ordered Product", "1697_1", JANE),
    ("Started Subscription", "1697_1_sub", JANE),
    ("Fulfilled Order", "1668", JOHN),
    ("Refunded Order", "1669", JOHN),
    ("Refunded Order", "1696", JOHN),
    ("Paused Subscription", "1668_1_sub", JOHN),
    ("Abandoned Order", "1270_abandoned", MIA),
    ("Placed Order", "1701", JOHN),
    ("Ordered Product", "1701_1", JOHN),
    ("Fulfilled Order", "1701", JOHN),
    ("Order Alert", "1717", JOHN),
    ("Declined Order", "1711", JOHN),
    ("Order Chargeback", "1718", JOHN),
    ("Unpaused Subscription", "1701_1_sub", JOHN),
    ("Cancelled Subscription", "1701_1_sub", JOHN),
    ("Reactivated Subscription", "1701_1_sub", JOHN),
    ("Placed Order", "1719", JOHN),
    ("Ordered Product", "1719_1", JOHN),
    ("Payment Recovered", "1719", JOHN),
]

# What is tried until Klaviyo is well again: how often by now depends on the moment.
TRIED = "Declined Order 1722"

# Klaviyo's answers to each of them, in order.
REQUESTS = {f"{metric} {unique_id}": [202] for metric, unique_id, _ in EVENTS} | {
    PROFILE: [201],
    "Placed Order 1697": [400, 202],
    "Declined Order 1711": [429, 202],
    "Placed Non-Recurring Order 1721": [400],
    "Ordered Product 1721_7": [400],
    TRIED: [503],
}

# What John has paid all in all, as each request shows it that a movement of money made.
CLV = {
    PROFILE: "0.00",
    "Placed Order 1668": "24.99",
    "Order Auth 1672": "24.99",
    "Voided Order 1676": "24.99",
    "Declined Order 1670": "24.99",
    "Placed Order 1695": "64.48",
    "Refunded Order 1669": "39.49",
    "Refunded Order 1696": "29.49",
    "Placed Order 1701": "59.48",
    "Order Alert 1717": "59.48",
    "Order Chargeback 1718": "29.49",
    "Placed Order 1719": "59.48",
}

# The sample's date of the next charge is over, and what is over is no date of a next charge.
JOHN_IN_THE_END = {"CLV": "59.48", "ActiveSubscriber": True, "NextChargeDate": None}

# In this order: the parcel's webhook came before the payment's.
ABOUT_1701 = ["Placed Order 1701", "Ordered Product 1701_1", "Fulfilled Order 1701"]
PARCEL_1701 = {
    "OrderId": "1253",
    "TransactionId": "1701",
    "Cycle": "2",
    "MerchantId": "5",
    "CardLastFour": "4242",
    "ShipDate": "2025-09-18",
    "CarrierName": "FedEx",
    "TrackingNumber": "794612345999",
}

REFUND_1696 = {
    "value": 10,
    "OrderId": "1261",
    "RefundedTransactionId": "1695",
    "RefundAmount": "10.00",
    "RefundDate": "2025-08-31",
    "PartialRefund": "true",
}

PLACED_ORDER_1668 = {
    "email": JOHN,
    "time": "2025-08-15T10:30:00+00:00",
    "value": 24.99,
    "value_currency": "USD",
    "properties": {
        "OrderId": "1253",
        "TransactionId": "1668",
        "SaleId": "",
        "Cycle": "1",
        "Attempt": "1",
        "MerchantId": "5",
        "CardLastFour": "4242",
        "Categories": [],
        "ItemNames": ["Monthly Vitamins"],
        "DiscountCode": "",
        "DiscountValue": "5.00",
        "Items": [
            {
                "OfferName": "Monthly Vitamins",
                "OfferId": "1",
                "ItemId": "",
                "ItemName": "Monthly Vitamins",
                "SKU": "",
                "Quantity": "1",
                "ItemPrice": "29.99",
                "RowTotal": "29.99",
                "Categories": [],
            }
        ],
        "BillingAddress": {
            "FirstName": "John",
            "LastName": "Doe",
            "Company": "",
            "Address1": "12 Orchard Lane",
            "Address2": "Unit 4",
            "City": "Portland",
            "Region": "OR",
            "RegionCode": "OR",
            "Country": "US",
            "CountryCode": "US",
            "Zip": "97205",
            "Phone": "+15551234567",
        },
        "ShippingAddress": {
            "FirstName": "John",
            "LastName": "Doe",
            "Company": "",
            "Address1": "88 Harbor Street",
            "Address2": "",
            "City": "Seattle",
            "Region": "WA",
            "RegionCode": "WA",
            "Country": "US",
            "CountryCode": "US",
            "Zip": "98101",
            "Phone": "+15551234567",
        },
    },
}

PAID, PARCEL, CHANGED = "transaction_completed", "shipment_shipped", "order_offer_updated"

INBOUND = [
    ("6026", "customer_created", "processed", "", 1),
    ("6001", PAID, "processed", "", 3),
    ("6002", PAID, "processed", "", 0),
    ("6011", "order_updated", "ignored", "Vrio sends it for any change of an order; it says nothing of its own.", 0),
    ("6018", PAID, "processed", "", 1),
    ("6015", PAID, "processed", "", 1),
    ("6006", PAID, "processed", "", 1),
    ("6003", PAID, "processed", "", 2),
    ("6012", "order_gift_wrapped", "unknown", "Vrio's event order_gift_wrapped is not one that we know.", 0),
    ("6004", PAID, "processed", "", 4),
    ("6008", PAID, "processed", "", 3),
    ("6009", PAID, "processed", "", 2),
    ("6010", PAID, "processed", "", 3),
    ("6027", "shipment_fulfilled", "ignored", "Klaviyo is told of a parcel when it is shipped, not before.", 0),
    ("6020", PARCEL, "processed", "", 1),
    ("6013", PAID, "processed", "", 1),
    ("6014", PAID, "processed", "", 1),
    ("6022", CHANGED, "processed", "", 1),
    ("6019", "order_abandonned", "processed", "", 1),
    ("6021", PARCEL, "processed", "", 1),
    ("6005", PAID, "processed", "", 2),
    ("6017", PAID, "processed", "", 1),
    ("6028", "transaction_skipped", "ignored", "A skipped payment makes no event.", 0),
    ("6029", "transaction_unskipped", "ignored", "A payment that is due again makes no event.", 0),
    ("6007", PAID, "processed", "", 1),
    ("6016", PAID, "processed", "", 1),
    ("6023", CHANGED, "processed", "", 1),
    ("6024", "order_offer_cancelled", "processed", "", 1),
    ("6025", CHANGED, "processed", "", 1),
    ("", "", "unreadable", "The body is not JSON.", 0),
    # By now there are three connections.
    ("6031", PAID, "processed", "", 7),
    ("6032", PAID, "processed", "", 6),
    ("6034", PARCEL, "waiting", "It waits for transaction 1723, of which Vrio has told nothing yet.", 0),
    ("6033", PAID, "processed", "", 3),
]

NOT_SENT = [
    ("Placed Non-Recurring Order", "1698", "skipped", "no_email"),
    ("Ordered Product", "1698_7", "skipped", "no_email"),
    ("Placed Order", "1699", "skipped", "test_order"),
    ("Ordered Product", "1699_1", "skipped", "test_order"),
    ("Started Subscription", "1699_1_sub", "skipped", "test_order"),
    ("Placed Non-Recurring Order", "1721", "failed", "400 invalid /data/attributes/profile/data/attributes/email"),
    ("Ordered Product", "1721_7", "failed", "400 invalid /data/attributes/profile/data/attributes/email"),
    ("Declined Order", "1722", "retrying", "503 error /data"),
    *(
        (metric, unique_id, "skipped", reason)
        for metric, unique_id in [
            ("Placed Order", "1719"),
            ("Ordered Product", "1719_1"),
            ("Placed Non-Recurring Order", "1721"),
            ("Ordered Product", "1721_7"),
            ("Declined Order", "1722"),
        ]
        for reason in ("campaign_not_selected", "connection_paused")
    ),
]

# Klaviyo is in trouble as long as the demo lasts.
FAULTS = [{"email": "ruth@example.com"}]

# What the visitor reads where the link leads to, and what the menu has for them.
READ = ["DEMO", "Jane Roe", "jane@example.com", "Placed Order", "phone removed", "2 attempts"]

LOGGED = {
    "Placed Order 1697": [("first", 400), ("phone_removed", 202)],
    "Declined Order 1711": [("first", 429), ("retry_after", 202)],
}
