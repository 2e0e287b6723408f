"""Orders and their lines."""

from sandbox.vrio.records import Order, OrderOffer
from sandbox.vrio.shapes import STAFF, ZERO, Fields
from sandbox.vrio.words import Status
from sandbox.vrio.world import Moment

NO_TRACKING: Fields = {f"tracking{number}": None for number in range(1, 21)}


def order(moment: Moment, told: Order) -> Fields:
    buyer = moment.customer(told)
    billing, shipping = buyer.addresses if told.has_payment else (None, None)
    return {
        "order_id": told.id,
        "connection_order_id": str(told.id),
        "campaign_id": told.campaign.campaign_id,
        "status_type_id": told.status,
        "customer_card_id": buyer.card.card_id if told.has_payment else None,
        "customer_id": told.customer_id,
        "customers_address_billing_id": billing and billing.address_id,
        "customers_address_shipping_id": shipping and shipping.address_id,
        "shipping_profile_id": 1,
        "date_created": told.created_at,
        "date_modified": told.modified_at,
        "date_authorized": told.authorized_at,
        "date_auto_capture": told.auto_capture_at,
        "date_ordered": told.ordered_at,
        "date_capture": told.captured_at,
        "is_test": told.is_test,
        "ip_address": buyer.ip_address,
        "order_discount": told.discount.flat if told.discount else None,
        "order_pixel": False,
        "cart_token": told.cart_token,
        "order_pixel_block": None,
        "order_notes": told.revisions[-1].note if told.revisions else None,
        "created_by": STAFF,
        "modified_by": STAFF,
        **tracking(told),
        "user_agent": "Other|Desktop|0|0|0|0",
    }


def revisions(told: Order) -> list[Fields]:
    return [
        {
            "order_revision_id": revision.revision_id,
            "orders_revision_type_id": None,
            "order_revision_value": ZERO,
            "order_notes": revision.note,
            "modified_by": STAFF,
            "date_modified": revision.at,
        }
        for revision in told.revisions
    ]


def cart(moment: Moment, told: Order) -> Fields:
    """What the customer saw at the checkout, before any code was typed."""
    total = sum((offer.amount for offer in moment.offers(told)), ZERO)
    return {
        "total": total,
        "subtotal": total,
        "total_discount": ZERO,
        "total_shipping": ZERO,
        "total_tax": ZERO,
        "checkout_url": f"https://shop.example.com/checkout/{told.cart_token}",
        "discount_label": None,
    }


def order_offer(moment: Moment, told: OrderOffer) -> Fields:
    parcels = [made for paid in moment.transactions(moment.order(told)) for made in moment.shipments(paid)]
    is_due = told.next_charge_at is not None
    next_amount = (told.next_price or ZERO) * told.quantity if is_due else ZERO
    return {
        "order_offer_id": told.id,
        "connection_order_offer_id": str(told.id),
        "status_type_id": told.status,
        "linked_status_type_id": None,
        "date_cancel": told.cancelled_at,
        "date_created": told.created_at,
        "date_modified": told.modified_at,
        "date_ordered": told.ordered_at,
        "date_reactivate": told.reactivated_at,
        "date_pause": told.paused_at,
        "date_unpause": told.unpause_at,
        "is_gift": told.is_gift,
        "is_recurring": told.is_recurring,
        "is_test": told.is_test,
        "offer_id": told.offer.offer_id,
        "offer_name": told.offer.name,
        "order_id": told.order_id,
        "order_offer_price": told.price,
        "order_offer_quantity": told.quantity,
        "cancel_type_id": told.cancel_reason,
        "cancel_by": STAFF if told.status is Status.CANCELLED else None,
        "discount_id": told.discount.discount_id if told.discount else None,
        "order_offer_upsell": told.is_upsell,
        "parent_order_offer_id": None,
        "charge_timeframe_id": told.offer.timeframe and told.offer.timeframe.charge_timeframe_id,
        "charge_timeframe_name": told.offer.timeframe and told.offer.timeframe.name,
        "offer_cycle_multiple_shipments_count": 0,
        "fulfillment_delay_timeframe_id": None,
        "total_shipments_count": len(parcels),
        "shipped_shipments_count": sum(made.shipped_at is not None for made in parcels),
        "current_shipment_prepaid_cycle": None,
        "current_shipment_id": None,
        "connection_status_type_name": told.status.label if told.status else None,
        "last_recurring_date": told.last_charge_at if told.is_recurring else None,
        "last_recurring_amount": told.last_amount if told.is_recurring else None,
        "next_recurring_date": told.next_charge_at,
        "next_recurring_amount": next_amount,
        "next_recurring_price": told.next_price or ZERO if is_due else ZERO,
        "next_recurring_charge": told.next_transaction_id,
        "next_recurring_last_four": moment.customer(told).card.number[-4:] if is_due else None,
        "extra_fields": None,
        "order_offer_notes": None,
    }


def tracking(told: Order) -> Fields:
    return {**NO_TRACKING, **{f"tracking{number}": text for number, text in told.tracking.items()}}
