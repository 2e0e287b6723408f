"""
The bodies of Vrio's webhooks: each a snapshot of one thing, in an envelope.

Shape:  a transaction has no line items, no sale and no discount code; an order offer and a shipment have no customer.
Source: Vrio help centre, "Webhooks overview", "Transaction webhook", "Order offer webhooks", "Fulfillment via
        webhooks".
"""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sandbox.vrio.charges import Shipment, Transaction
from sandbox.vrio.records import Order, OrderOffer
from sandbox.vrio.shapes import Fields, goods, orders, parcels, payments, people
from sandbox.vrio.spelling import Generation, spelled
from sandbox.vrio.words import TransactionType
from sandbox.vrio.world import Fact, Moment, World

# Vrio: the date of the event lies some seconds after the change of an order offer or a shipment.
DELAYS = {"order_offer": timedelta(seconds=4), "shipment": timedelta(seconds=2)}

# Vrio: this event came with the newer webhooks, and the older do not have it.
ONLY_IN_V2 = {"shipment_scheduled"}

CHARGES = {TransactionType.SALE, TransactionType.CAPTURE, TransactionType.COD}

OFFER_ON_TRANSACTION = (
    *("order_offer_id", "order_id", "customer_id", "offer_id", "offer_name", "order_offer_quantity"),
    *("order_offer_price", "is_recurring", "is_gift", "is_test", "status_type_id", "charge_timeframe_id"),
    *("charge_timeframe_name", "discount_id", "order_offer_upsell", "parent_order_offer_id"),
)


def body(world: World, fact: Fact, generation: Generation) -> bytes:
    """The webhook about a fact."""
    if fact.event in ONLY_IN_V2 and generation == "v1":
        generation = "v2"
    moment = world.at(fact.at)
    record: Any = moment.get(fact.record, fact.record_id)
    event_date = fact.at + DELAYS.get(fact.thing, timedelta(0))
    webhook = {
        "webhook_type": fact.thing,
        "webhook_event": fact.event,
        # Vrio: the oldest webhooks, those of orders, write it as text.
        "webhook_event_id": str(fact.webhook_id) if generation == "v1" and fact.thing == "order" else fact.webhook_id,
        "webhook_event_date": f"{event_date:%Y-%m-%d %H:%M:%S}",
        "webhook_data": {fact.thing: spelled(_SNAPSHOTS[fact.record](moment, record), generation)},
    }
    return json.dumps(webhook).encode()


def _order(moment: Moment, told: Order) -> Fields:
    return {
        **_basic_order(moment, told),
        "order_offers": [_short_offer(moment, offer) for offer in moment.offers(told)],
        "customer": people.customer(moment, moment.customer(told)),
        "order_revisions": orders.revisions(told),
    }


def _transaction(moment: Moment, told: Transaction) -> Fields:
    buyer, order = moment.customer(told), moment.order(told)
    billing, shipping = buyer.addresses
    same = [paid.id for paid in moment.transactions(order) if paid.approved is not None]
    return {
        **payments.transaction(moment, told),
        "transaction_charge": told.type in CHARGES,
        "is_recent": same[-1:] == [told.id],
        "is_next": told.approved is None,
        "gateway_response_text": None if told.approved is None else f"Test response for {told.type.label}",
        "order": _basic_order(moment, order),
        "transaction_order_offers": [
            _short_offer(moment, moment.get(OrderOffer, offer_id)) for offer_id in told.order_offer_ids
        ],
        "customer": people.customer(moment, buyer),
        "customer_card": people.card(buyer.card),
        "customer_address_billing": people.address(billing),
        "customer_address_shipping": people.address(shipping),
        "merchant": goods.merchant(),
        "campaign": goods.campaign(order.campaign),
    }


def _order_offer(moment: Moment, told: OrderOffer) -> Fields:
    billing, shipping = moment.customer(told).addresses
    return {
        **orders.order_offer(moment, told),
        "customer_id": told.customer_id,
        "date_expiration": told.expires_at,
        "customer_address_billing": people.address(billing),
        "customer_address_shipping": people.address(shipping),
        "campaign": goods.campaign(moment.order(told).campaign),
    }


def _basic_order(moment: Moment, told: Order) -> Fields:
    return {**orders.order(moment, told), "customer_user_id": None}


def _short_offer(moment: Moment, told: OrderOffer) -> Fields:
    whole = {**orders.order_offer(moment, told), "customer_id": told.customer_id}
    return {name: whole[name] for name in OFFER_ON_TRANSACTION}


_SNAPSHOTS: Mapping[type[Any], Callable[[Moment, Any], Fields]] = {
    Order: _order,
    Transaction: _transaction,
    OrderOffer: _order_offer,
    Shipment: parcels.shipment,
}
