"""
Fulfilled Order: a parcel that is on its way, with the order that it belongs to.

Source: the published page, "Fulfilled Order". IsReship is our choice: a parcel that is sent again is no new one.
"""

from dataclasses import replace

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import day, order_properties
from vrio_klaviyo.vrio.records import Shipment, Transaction


def fulfilled_order(parcel: Shipment) -> list[EventRequest]:
    """
    One request for one parcel.

    Shape:  the block of the payment, with what is in this parcel. Where the payment is not known its fields are empty.
            IsReship, only ever "true", stands on a parcel that is sent again.
    Units:  value is what was charged for all parcels of the payment. ShipDate is the day on the source's calendar.
    """
    paid = replace(
        parcel.transaction or Transaction(transaction_id=parcel.transaction_id),
        order=parcel.order,
        customer=parcel.customer,
        lines=parcel.lines,
        billing=parcel.billing,
        shipping=parcel.shipping,
    )
    shipping = {
        "ShipDate": day(parcel.shipped_on),
        "CarrierName": parcel.carrier,
        "TrackingNumber": parcel.tracking_number,
    }
    return [
        EventRequest(
            metric="Fulfilled Order",
            unique_id=parcel.event_id,
            time=parcel.happened_at,
            value=paid.total,
            currency=parcel.currency,
            profile=customer_profile(parcel.customer, parcel.order),
            properties=order_properties(paid) | shipping | ({"IsReship": "true"} if parcel.is_reship else {}),
        )
    ]
