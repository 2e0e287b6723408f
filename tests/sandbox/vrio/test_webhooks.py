"""The webhooks: an envelope around a snapshot, written in three ways that say the same."""

import json
import re
from typing import Any

import pytest

from sandbox.vrio import DeliveryPlan, bursts
from sandbox.vrio.spelling import NO_DATE, NULL_IN_V1, USERS
from sandbox.vrio.webhooks import body
from sandbox.vrio.words import (
    CancelReason,
    CardType,
    Carrier,
    Currency,
    Gateway,
    PaymentMethod,
    ReshipType,
    ShipmentParentType,
    ShipmentStatus,
    Status,
    TransactionType,
)

DATE = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d")
MAY_NOT_SAY = {
    "transaction": {"line_items", "sale", "sale_id", "discount_code", "shipments", "credits"},
    "order": {"transactions", "customer_card", "customer_address_billing", "customer_address_shipping"},
    "order_offer": {"customer", "email", "order_offer_items", "discount"},
    "shipment": {"customer", "email", "transaction"},
}
LISTS = {
    "transaction_type_id": TransactionType,
    "status_type_id": Status,
    "shipment_status_id": ShipmentStatus,
    "currency_id": Currency,
    "payment_method_id": PaymentMethod,
    "card_type_id": CardType,
    "customer_card_type_id": CardType,
    "carrier_id": Carrier,
    "gateway_id": Gateway,
    "cancel_type_id": CancelReason,
    "shipping_reship_type_id": ReshipType,
    "shipment_parent_type_id": ShipmentParentType,
}


@pytest.mark.parametrize("generation", ["v1", "v2", "rest", "mixed"])
def test_every_webhook_of_a_month_follows_the_envelope(month, generation):
    seen = set()
    for burst in bursts(month, DeliveryPlan(generation=generation)):
        for sent in burst.bodies:
            webhook = json.loads(sent)
            kind = webhook["webhook_type"]
            assert list(webhook) == [
                "webhook_type", "webhook_event", "webhook_event_id", "webhook_event_date", "webhook_data",
            ]  # fmt: skip
            assert DATE.fullmatch(webhook["webhook_event_date"])
            assert list(webhook["webhook_data"]) == [kind]
            told = webhook["webhook_data"][kind]
            assert next(iter(told)) in ("id", f"{kind}_id")
            assert not MAY_NOT_SAY[kind] & told.keys()
            seen.add((kind, str(webhook["webhook_event_id"])))

    assert len(seen) == sum(fact.at >= month.opened_at for fact in month.facts)


def test_the_generations_say_the_same(month):
    for fact in month.facts[::7]:
        if fact.event == "shipment_scheduled":
            continue
        old, new, typed = (
            facts(json.loads(body(month, fact, generation))["webhook_data"]) for generation in ("v1", "v2", "rest")
        )
        assert new == typed
        assert old.items() <= typed.items()


def facts(value: Any, path: str = "") -> dict[str, Any]:
    """Every field by its path, with the many ways of writing brought to one."""
    if isinstance(value, list):
        return {
            name: told for number, part in enumerate(value) for name, told in facts(part, f"{path}[{number}]").items()
        }
    found = {}
    own_id = next(iter(value))
    for name, part in value.items():
        here = f"{path}.{'id' if name == own_id and name.endswith('_id') else name}"
        if isinstance(part, dict | list):
            found |= facts(part, here)
        elif name not in USERS | NULL_IN_V1:
            found[here] = plain(name, part)
    return found


def plain(name: str, value: Any) -> str | None:
    if name == "transaction_declined":
        return {True: "no", False: "yes", None: None, "DECLINED": "no", "APPROVED": "yes", "": None}[value]
    if name in LISTS and value is not None:
        return next(word.label for word in LISTS[name] if value in (word.label, word.number))
    if isinstance(value, bool) or value in ("Yes", "No"):
        return "1" if value in (True, "Yes") else "0"
    if value in (None, NO_DATE, "---") or (name == "customer_card_id" and value == "0"):
        return None
    return str(value)


def test_the_oldest_webhooks_write_everything_as_text(month):
    def leaves(value):
        if isinstance(value, dict):
            value = list(value.values())
        return [leaf for part in value for leaf in leaves(part)] if isinstance(value, list) else [value]

    for fact in month.facts[:400]:
        if fact.event != "shipment_scheduled":
            told = json.loads(body(month, fact, "v1"))["webhook_data"]
            assert {type(leaf) for leaf in leaves(told)} <= {str, type(None)}


def test_an_event_id_is_text_for_orders_and_a_number_for_the_rest(month):
    kinds = {
        fact.thing: type(json.loads(body(month, fact, "v1"))["webhook_event_id"]).__name__ for fact in month.facts[:400]
    }

    assert kinds == {"order": "str", "transaction": "int", "order_offer": "int", "shipment": "int"}


def test_a_scheduled_shipment_is_only_told_by_the_newer_webhooks(month):
    fact = next(fact for fact in month.facts if fact.event == "shipment_scheduled")

    assert body(month, fact, "v1") == body(month, fact, "v2")


def test_a_decline_is_a_word_and_the_reason_stands_beside_it(month):
    told = [json.loads(body(month, fact, "v1"))["webhook_data"] for fact in month.facts if fact.thing == "transaction"]
    answers = {
        (one["transaction"]["transaction_declined"], one["transaction"]["gateway_response_code"]) for one in told
    }

    assert answers == {("APPROVED", "100"), ("DECLINED", "200"), ("", None)}
