"""How Vrio writes values down, which is not the same everywhere: two generations of webhooks, and REST."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sandbox.vrio.words import Word

Generation = Literal["v1", "v2", "rest"]

NO_DATE = "0000-00-00 00:00:00"
YES_OR_NO = {"transaction_charge", "is_recent", "is_next"}
USERS = {"created_by", "modified_by", "cancel_by"}
STAFF_EMAIL = "staff@example.com"

# Vrio: the older webhooks write these as null where REST writes an empty text or False.
NULL_IN_V1 = {"organization", "order_pixel"}

# What the older webhooks leave out, of the object with this id.
NOT_IN_V1: Mapping[str, frozenset[str]] = {
    "transaction_id": frozenset(
        {"connection_transaction_id", "customer_id", "order_id", "response_code", "transaction_3ds_verified_status"}
        | {"check_number", "check_amount", "dunning_cycle_id", "dunning_cycle_total"}
        | {"quantity_discount_cycle_id", "quantity_discount_cycle_total", "discount_cycle_id", "discount_cycle_total"}
        | {"date_batch", "date_deposit", "rebill_date", "original_attempt_date"}
    ),
    "order_id": frozenset({"connection_order_id", "shipping_profile_id"}),
    "customer_id": frozenset({"connection_customer_id", "connection_id"}),
    "customer_card_id": frozenset({"created_by", "modified_by", "customer_card_merchant_token"}),
    "merchant_id": frozenset({"currency_id"}),
    "order_offer_id": frozenset(
        {"connection_order_offer_id", "linked_status_type_id", "offer_cycle_multiple_shipments_count"}
        | {"fulfillment_delay_timeframe_id", "current_shipment_prepaid_cycle", "current_shipment_id"}
        | {"next_recurring_charge"}
    ),
    "shipment_id": frozenset({"connection_shipment_id"}),
}


def spelled(value: Any, generation: Generation) -> Any:
    """
    The value as JSON has it.

    Shape:  an object's own id is its first field, which v1 calls `id`; its fields are nested objects, lists or values.
    Units:  money has two decimals; times are in the account's zone, without saying so.
    """
    if isinstance(value, dict):
        own_id = next(iter(value), "")
        return {
            "id" if generation == "v1" and name == own_id and name.endswith("_id") else name: _field(
                name, part, generation, own_id
            )
            for name, part in value.items()
            if generation != "v1" or _is_in_v1(name, own_id)
        }
    if isinstance(value, list):
        return [spelled(part, generation) for part in value]
    return _value(value, generation)


def _is_in_v1(name: str, own_id: str) -> bool:
    return name not in NOT_IN_V1.get(own_id, ()) and not name.endswith("_usd")


def _field(name: str, value: Any, generation: Generation, own_id: str) -> Any:
    if name == "transaction_declined" and generation != "rest":
        # Vrio: a word, under a name that says the opposite.
        return {None: "", True: "DECLINED", False: "APPROVED"}[value]
    if generation == "v1":
        if name in USERS:
            return None if value is None else STAFF_EMAIL
        if name in NULL_IN_V1:
            return None
        if value is None:
            return _nothing(name, own_id)
        if name in YES_OR_NO:
            return "Yes" if value else "No"
    return spelled(value, generation)


def _nothing(name: str, own_id: str) -> str | None:
    if name == "date_ordered" and own_id == "order_id":
        return "---"
    if name.startswith("date_") or name == "chargeback_date":
        return NO_DATE
    return "0" if name == "customer_card_id" else None


def _value(value: Any, generation: Generation) -> Any:
    match value:
        case Word():
            return value.number if generation == "rest" else value.label
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case Decimal():
            return f"{value:.2f}"
        case bool():
            return ("1" if value else "0") if generation == "v1" else value
        case int():
            return str(value) if generation == "v1" else value
        case _:
            return value
