"""The month: the same for the same seed, and with everything in it that happens at a merchant's."""

import re
import time
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from sandbox.vrio import World, bursts, tell_month
from sandbox.vrio.charges import Shipment, Transaction
from sandbox.vrio.people import BAD_EMAILS
from sandbox.vrio.records import Customer, Order, OrderOffer
from sandbox.vrio.story import ROLES
from sandbox.vrio.words import Status, TransactionType


def test_the_same_seed_tells_the_same_bytes():
    first, again, other = (
        [body for burst in bursts(tell_month(60, seed)) for body in burst.bodies] for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other


def test_a_month_of_500_customers_is_told_quickly():
    started = time.perf_counter()
    sent = sum(len(burst.bodies) for burst in bursts(tell_month(500, seed=3)))

    assert sent >= 5000
    assert time.perf_counter() - started < 30


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_with_a_customer_for_each_role_everything_happens(seed):
    assert [name for name, happens in happenings(tell_month(len(ROLES), seed)).items() if not happens] == []


def happenings(world: World) -> dict[str, bool]:
    """What there is in a month, by name."""
    return {
        **{f"webhook {event}": any(fact.event == event for fact in world.facts) for event in EVENTS},
        **payments_of(world),
        **lines_of(world),
        **subscriptions_of(world),
        **orders_of(world),
        **people_of(world),
    }


def payments_of(world: World) -> dict[str, bool]:
    end = world.at(world.ends_at)
    tried = end.all(Transaction)
    parents = {one.id: end.get(Transaction, one.parent_id) for one in tried if one.parent_id}
    made = {kind: [one for one in tried if one.type is kind and one.approved] for kind in TransactionType}
    refunds, voids, alerts = (made[TransactionType[name]] for name in ("REFUND", "VOID", "ALERT"))
    declined = [one for one in tried if one.approved is False]
    sales = made[TransactionType.SALE]
    return {
        **{f"type {kind.label}": bool(made[kind]) for kind in TransactionType},
        "currencies": len({one.currency for one in tried}) > 2,
        "shipping and tax": any(one.shipping and one.tax for one in sales),
        "second and third cycle": {2, 3} <= {one.cycle for one in sales},
        "declined first charge": any(one.cycle == 1 for one in declined),
        "dunning": any(one.cycle > 1 and one.attempt > 1 for one in declined),
        "recovery": any(one.cycle > 1 and one.attempt > 1 for one in sales),
        "full refund": any(one.total == parents[one.id].total for one in refunds),
        "refund of an item": any(one.lines and one.total < parents[one.id].total for one in refunds),
        "two refunds of one sale": len({one.parent_id for one in refunds}) < len(refunds),
        "declined refund": any(one.type is TransactionType.REFUND for one in declined),
        "void of a sale": any(parents[one.id].type is TransactionType.SALE for one in voids),
        "void of an auth": any(parents[one.id].type is TransactionType.AUTH for one in voids),
        "two alerts": len({one.parent_id for one in alerts}) < len(alerts),
    }


def lines_of(world: World) -> dict[str, bool]:
    end = world.at(world.ends_at)
    sales = [one for one in end.all(Transaction) if one.type is TransactionType.SALE and one.approved]
    kinds = [{line.is_recurring for line in one.lines if not line.is_gift} for one in sales]
    lines = [line for one in sales for line in one.lines]
    items = [(one.id, line.order_offer_id) for one in sales for line in one.lines]
    parcels = [parcel for parcel in end.all(Shipment) if parcel.shipped_at]
    first = [parcel.transaction_id for parcel in parcels if not parcel.reship]
    return {
        "subscription": {True} in kinds,
        "one-time sale": {False} in kinds,
        "mixed cart": {True, False} in kinds,
        "bundle": len(set(items)) < len(items),
        "same offer twice": any(len({line.offer for line in one.lines}) < len(one.order_offer_ids) for one in sales),
        "more than one of a thing": any(line.quantity > 1 for line in lines),
        "gift": any(line.is_gift and not line.is_recurring for line in lines),
        "gift called recurring": any(line.is_gift and line.is_recurring for line in lines),
        "upsell": any(line.is_upsell for line in lines),
        "discount code": any(line.discount_code for line in lines),
        "several parcels": len(set(first)) < len(first),
        "reship": any(parcel.reship for parcel in parcels),
    }


def subscriptions_of(world: World) -> dict[str, bool]:
    end = world.at(world.ends_at)
    changed = Counter((change.order_offer_id, change.kind) for change in world.changes)
    offers = end.all(OrderOffer)
    histories = [[told for _, told in world.history(OrderOffer, offer.id)] for offer in offers]
    paused = [told for history in histories for told in history if told.status is Status.PAUSED]
    cancelled = [offer for offer in offers if offer.status is Status.CANCELLED]
    return {
        **{kind: any(name == kind for _, name in changed) for kind in ("unpaused", "cancelled", "reactivated")},
        "planned end of a pause": any(told.unpause_at and told.unpause_at > told.modified_at for told in paused),
        "second pause in one cycle": any(kind == "paused" and times > 1 for (_, kind), times in changed.items()),
        "expiration": any(offer.status is Status.EXPIRED for offer in offers),
        "cancelled without a transaction": any(not end.transactions(end.order(offer)) for offer in cancelled),
        "free trial, then the price": any(history[0].price == 0 < history[-1].price for history in histories),
        "subscribed before the month": any(offer.created_at < world.opened_at for offer in offers),
    }


def orders_of(world: World) -> dict[str, bool]:
    orders = world.at(world.ends_at).all(Order)
    left = [(order.abandoned_at, order.ordered_at) for order in orders if order.abandoned_at]
    return {
        "test order": any(order.is_test for order in orders),
        "abandoned for good": any(not ordered for _, ordered in left),
        "abandoned, then ordered": any(ordered and abandoned < ordered for abandoned, ordered in left),
        "ordered, then abandoned": any(ordered and abandoned >= ordered for abandoned, ordered in left),
    }


def people_of(world: World) -> dict[str, bool]:
    customers = world.at(world.ends_at).all(Customer)
    histories = [[told for _, told in world.history(Customer, customer.id)] for customer in customers]
    emails = [customer.email for customer in customers]
    return {
        "countries": len({customer.addresses[0].country for customer in customers}) > 3,
        "no e-mail": any(not email for email in emails),
        "bad e-mail": any(email in BAD_EMAILS for email in emails),
        "no usable phone": any(customer.phone.e164 is None for customer in customers),
        "phones of all sorts": len({re.sub(r"\d", "0", customer.phone.typed or "") for customer in customers}) > 8,
        "new e-mail": any(len({told.email for told in history}) > 1 for history in histories),
        "new name": any(len({told.last_name for told in history}) > 1 for history in histories),
        "new phone": any(len({told.phone for told in history}) > 1 for history in histories),
    }


EVENTS = (
    *("order_updated", "order_abandonned", "order_offer_updated", "order_offer_cancelled"),
    *("transaction_completed", "transaction_skipped", "transaction_unskipped"),
    *("shipment_scheduled", "shipment_fulfilled", "shipment_shipped", "shipment_cancelled"),
)


def test_numbers_rise_with_time(month):
    assert [fact.number for fact in month.facts] == list(range(1, len(month.facts) + 1))
    assert [fact.at for fact in month.facts] == sorted(fact.at for fact in month.facts)
    orders = month.at(month.ends_at).all(Order)
    assert [order.created_at for order in sorted(orders, key=lambda order: order.id)] == sorted(
        order.created_at for order in orders
    )


def test_an_order_chatters_once_a_minute_at_most(month):
    chatter = defaultdict(list)
    for fact in month.facts:
        if fact.event == "order_updated":
            chatter[fact.record_id].append(fact.at)
    pauses = [later - earlier for times in chatter.values() for earlier, later in pairwise(times)]

    assert min(pauses) >= timedelta(minutes=1)


def test_money_adds_up(month):
    for paid in month.at(month.ends_at).all(Transaction):
        assert paid.price - paid.discount + paid.shipping + paid.tax == paid.total
        if paid.lines:
            assert sum(line.total for line in paid.lines) == paid.total


def test_a_thing_is_seen_as_it_was(month):
    pause = next(change for change in month.changes if change.kind == "paused")

    before = month.at(pause.at - timedelta(seconds=1)).get(OrderOffer, pause.order_offer_id)
    after = month.at(pause.at).get(OrderOffer, pause.order_offer_id)

    assert (before.status, after.status) == (Status.ACTIVE, Status.PAUSED)
    assert month.at(datetime(2000, 1, 1)).find(OrderOffer, pause.order_offer_id) is None
