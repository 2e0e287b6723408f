"""Transactions, the sales that they belong to, and what they are for."""

from decimal import Decimal

from sandbox.vrio.catalogue import MERCHANT
from sandbox.vrio.charges import LineItem, Sale, Transaction
from sandbox.vrio.records import OrderOffer
from sandbox.vrio.shapes import STAFF, ZERO, Fields
from sandbox.vrio.shapes.goods import packed
from sandbox.vrio.words import Currency, TransactionType
from sandbox.vrio.world import Moment

DOLLARS = {
    Currency.USD: Decimal("1"),
    Currency.EUR: Decimal("1.10"),
    Currency.GBP: Decimal("1.30"),
    Currency.CAD: Decimal("0.75"),
    Currency.AUD: Decimal("0.65"),
}


def transaction(moment: Moment, told: Transaction) -> Fields:
    """`transaction_declined` is True, False, or None for what was not tried yet."""
    buyer = moment.customer(told)
    parent = told.parent_id and moment.find(Transaction, told.parent_id)
    was_tried = told.approved is not None
    in_total = {
        "transaction_total": told.total,
        "transaction_shipping": told.shipping,
        "transaction_tax": told.tax,
        "transaction_price": told.price,
        "transaction_discount_total": told.discount,
        "customer_balance_applied": ZERO,
        "transaction_fee": ZERO,
        "gift_card_applied": ZERO,
    }
    return {
        "transaction_id": told.id,
        "connection_transaction_id": None,
        "customer_id": told.customer_id,
        "order_id": told.order_id,
        "payment_method_id": told.method,
        "transaction_type_id": told.type,
        "transaction_cycle": told.cycle,
        "transaction_attempt": told.attempt,
        "transaction_declined": None if told.approved is None else not told.approved,
        "merchant_id": MERCHANT.merchant_id,
        "transaction_merchant_descriptor": MERCHANT.descriptor,
        "response_code": (100 if told.approved else 200) if was_tried else None,
        "transaction_3ds_verified_status": None,
        "gateway_response_id": f"GW-{told.id}" if was_tried else None,
        "gateway_auth_code": ("ABCD" if told.approved else "") if was_tried else None,
        "gateway_response_code": ("100" if told.approved else "200") if was_tried else None,
        "gateway_response_description": told.response if was_tried else None,
        "gateway_response_avs": "",
        "gateway_response_cvv": "",
        "processor_response_text": "",
        "currency_id": told.currency,
        "transaction_price": told.price,
        "transaction_discount_total": told.discount,
        "transaction_shipping": told.shipping,
        "transaction_sub_total": told.sub_total,
        "transaction_tax": told.tax,
        "transaction_fee": ZERO,
        "customer_balance_applied": ZERO,
        "gift_card_applied": ZERO,
        "transaction_total": told.total,
        "order_discount_total": told.discount,
        "check_number": None,
        "check_amount": ZERO,
        "dunning_cycle_id": None,
        "dunning_cycle_total": ZERO,
        "quantity_discount_cycle_id": None,
        "quantity_discount_cycle_total": ZERO,
        "discount_cycle_id": None,
        "discount_cycle_total": ZERO,
        "date_scheduled": told.scheduled_at,
        "date_complete": told.completed_at,
        "date_cancelled": None,
        "date_skip": told.skipped_at,
        "date_batch": None,
        "date_deposit": None,
        "date_request": told.completed_at,
        "date_response": told.completed_at,
        "rebill_date": None,
        "original_attempt_date": None,
        "transaction_parent_id": told.parent_id,
        "parent_date_complete": parent.completed_at if parent else None,
        "transaction_initial_id": told.initial_id,
        "is_prepaid": False,
        "customer_card_type_id": buyer.card.type,
        "customer_card_bin": buyer.card.number[:6],
        "chargeback_date": told.dispute and told.dispute.at,
        "chargeback_code": told.dispute and told.dispute.code,
        "chargeback_reference_id": told.dispute and told.dispute.reference,
        "chargeback_case_id": told.dispute and told.dispute.case,
        **_in_dollars(in_total, told.currency),
        "date_created": told.created_at,
        "created_by": STAFF,
        "modified_by": STAFF,
        "date_modified": told.modified_at,
        "transaction_notes": told.note,
    }


def sale(moment: Moment, told: Sale) -> Fields:
    """A sale comes to what its last attempt comes to."""
    attempt = moment.get(Transaction, told.transaction_id)
    buyer = moment.customer(told)
    return {
        "sale_id": told.id,
        "order_id": told.order_id,
        "customer_id": told.customer_id,
        "customer_name": f"{buyer.first_name} {buyer.last_name}",
        "status": told.status,
        "cycle": told.cycle,
        "currency_id": attempt.currency,
        "price": attempt.price,
        "discount_total": attempt.discount,
        "shipping": attempt.shipping,
        "sub_total": attempt.sub_total,
        "tax": attempt.tax,
        "gift_card_applied": ZERO,
        "total": attempt.total,
        "date_sale": told.first_at,
        "date_attempt": told.last_at,
    }


def line_item(moment: Moment, told: Transaction, line: LineItem) -> Fields:
    """
    One item of a transaction, and the parcels that it is in.

    Source: our choice for more than one of a thing: `line_item_price` is for one, the other amounts are for the line.
    """
    campaign = moment.order(told).campaign
    # What is given back was in the parcels of its charge; a capture names its authorization as parent, too.
    is_credit = told.type is not TransactionType.CAPTURE
    paid = moment.get(Transaction, told.parent_id) if told.parent_id and is_credit else told
    packages = [item for parcel in moment.shipments(paid) for item in parcel.items if item.item == line.item]
    in_total = {
        "line_item_price": line.price,
        "line_item_discount_total": line.discount,
        "line_item_shipping": line.shipping,
        "line_item_tax": line.tax,
        "customer_balance_applied": ZERO,
        "gift_card_applied": ZERO,
        "line_item_total": line.total,
    }
    return {
        "line_item_id": line.line_item_id,
        "customer_id": told.customer_id,
        "order_id": told.order_id,
        "order_offer_id": line.order_offer_id,
        "offer_id": line.offer.offer_id,
        "offer_name": line.offer.name,
        "offer_quantity": line.offer_quantity,
        "item_id": line.item.item_id,
        "item_name": line.item.name,
        "item_quantity": line.quantity,
        "campaign_id": campaign.campaign_id,
        "campaign_name": campaign.name,
        "transaction_status": told.status.label,
        "line_item_cycle": told.cycle,
        "currency_id": told.currency,
        "is_test": told.is_test,
        "is_upsell": line.is_upsell,
        "status_type_id": moment.get(OrderOffer, line.order_offer_id).status,
        "discount_code": line.discount_code,
        "line_item_price": line.price,
        "line_item_discount_total": line.discount,
        "line_item_shipping": line.shipping,
        "line_item_sub_total": line.sub_total,
        "line_item_tax": line.tax,
        "customer_balance_applied": ZERO,
        "gift_card_applied": ZERO,
        "line_item_total": line.total,
        **_in_dollars(in_total, told.currency),
        "date_complete": told.completed_at,
        "linked_order_offer_id": None,
        "linked_transaction_cycle": None,
        "linked_transaction_attempt": None,
        "linked_status_type_id": None,
        "linked_is_recurring": None,
        "line_item_shipments": [packed(item) for item in packages],
    }


def _in_dollars(amounts: dict[str, Decimal], currency: Currency) -> Fields:
    return {f"{name}_usd": amount * DOLLARS[currency] for name, amount in amounts.items()}
