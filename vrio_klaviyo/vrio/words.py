"""
The words that Vrio numbers; in small letters, but for names.

Source: Vrio API reference, the lists of values. Vrio: webhooks write the word, REST writes its number.
"""

TRANSACTION_TYPES = {
    1: "sale",
    2: "refund",
    3: "void",
    4: "chargeback",
    5: "alert",
    6: "auth",
    7: "capture",
    8: "cod",
    9: "chargeback reversal",
    10: "returned check",
}

# Orders and order offers share this list.
STATUSES = {
    1: "active",
    2: "cancelled",
    3: "complete",
    4: "partial",
    5: "declined",
    6: "archive",
    7: "rejected",
    8: "removed",
    9: "paused",
    10: "expired",
}

OFFER_TYPES = {1: "one time sale", 2: "recurring"}

CURRENCIES = {1: "usd", 2: "eur", 3: "gbp", 4: "cad", 5: "aud", 6: "nzd", 7: "dkk", 8: "sek", 9: "nok"}

SHIPMENT_STATUSES = {
    1: "pending post",
    2: "pending tracking",
    3: "cancelled",
    4: "shipped",
    5: "error",
    6: "delivered",
    7: "declined",
    8: "pending transaction",
    9: "skipped",
}

SHIPMENT_PARENTS = {1: "reship", 2: "reward", 3: "gift", 4: "free"}

# In Vrio's own spelling, as people read them; there is no 7.
CARRIERS = {
    1: "USPS",
    2: "UPS",
    3: "FedEx",
    4: "DHL eCommerce",
    5: "UPS Mail Innovations",
    6: "Canada Post",
    8: "Australia Post",
    9: "Hermes",
}
