"""Parcels. Vrio: they have no customer, no e-mail address and no price."""

from sandbox.vrio.charges import Shipment
from sandbox.vrio.shapes import STAFF, Fields
from sandbox.vrio.shapes.goods import campaign, packed
from sandbox.vrio.shapes.people import address
from sandbox.vrio.words import ShipmentParentType
from sandbox.vrio.world import Moment


def shipment(moment: Moment, told: Shipment) -> Fields:
    order = moment.order(told)
    billing, shipping = moment.customer(told).addresses
    return {
        "shipment_id": told.id,
        "connection_shipment_id": None,
        "customer_id": told.customer_id,
        "order_id": told.order_id,
        "shipment_prepaid_cycle": 1,
        "shipment_status_id": told.status,
        "transaction_charge_id": told.transaction_id,
        "connection_id": 3,
        "fulfillment_id": told.fulfillment_id,
        "shipment_tracking_id": told.tracking_number,
        "carrier_id": told.carrier,
        "shipping_profile_id": 1,
        "date_cancel": told.cancelled_at,
        "date_scheduled": told.scheduled_at,
        "date_complete": told.shipped_at,
        "date_scan": None,
        "date_deliver": None,
        "date_return": None,
        "date_skip": None,
        "date_rma": None,
        "shipment_rma": None,
        "cancel_type_id": None,
        "skip_type_id": None,
        "shipping_reship_type_id": told.reship,
        "shipment_parent_type_id": ShipmentParentType.RESHIP if told.reship else None,
        "date_created": told.created_at,
        "date_modified": told.modified_at,
        "created_by": STAFF,
        "modified_by": STAFF,
        "shipment_notes": None,
        "shipment_items": [packed(item) for item in told.items],
        "customer_address_billing": address(billing),
        "customer_address_shipping": address(shipping),
        "campaign": campaign(order.campaign),
        "connection": {"connection_id": 3, "connection_name": "Example Fulfillment"},
    }
