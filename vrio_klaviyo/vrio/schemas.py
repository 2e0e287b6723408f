"""
Vrio's JSON as records: one schema per Vrio thing, the same for its webhooks and its REST API.

Source: Vrio help centre, "Webhook events reference", "Transaction webhook", "Order offer webhooks"; Vrio API reference.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Any

from vrio_klaviyo.errors import UnreadableWebhook
from vrio_klaviyo.vrio import records, words
from vrio_klaviyo.vrio.amounts import ZONE, Count, Moment, Unsigned
from vrio_klaviyo.vrio.fields import Id, LongText, Text
from vrio_klaviyo.vrio.labels import Approval, Currency, Flag, Word
from vrio_klaviyo.vrio.orders import (
    CampaignSchema,
    LineItemSchema,
    OrderOfferSchema,
    OrderSchema,
    ShipmentSchema,
    of_order,
)
from vrio_klaviyo.vrio.people import AddressSchema, CardSchema, CustomerSchema
from vrio_klaviyo.vrio.reading import Part, Parts, RecordSchema, Reference, notes, parsed


class TransactionSchema(RecordSchema):
    thing = "transaction"
    record = records.Transaction

    transaction_id = Id(data_key="id", required=True)
    kind = Word(words.TRANSACTION_TYPES, data_key="transaction_type_id")
    approved = Approval(data_key="transaction_declined")
    response_code = Count()
    order_id = Id()
    order = Part(OrderSchema())
    customer_id = Id()
    customer = Part(CustomerSchema())
    campaign = Part(CampaignSchema())
    campaign_id = Id()
    sale = Part(Reference("sale"))
    sale_id = Id()
    cycle = Count(data_key="transaction_cycle")
    attempt = Count(data_key="transaction_attempt")
    merchant = Part(Reference("merchant"))
    merchant_id = Id()
    card_last_four = Part(CardSchema(), data_key="customer_card")
    currency = Currency(words.CURRENCIES, data_key="currency_id")
    # Vrio: transaction_charge is a yes or no; the amount is the total.
    sub_total = Unsigned(data_key="transaction_sub_total")
    shipping_total = Unsigned(data_key="transaction_shipping")
    tax = Unsigned(data_key="transaction_tax")
    total = Unsigned(data_key="transaction_total")
    discount = Unsigned(data_key="transaction_discount_total")
    discount_code = Text()
    scheduled_at = Moment(data_key="date_scheduled")
    skipped_at = Moment(data_key="date_skip")
    completed_at = Moment(data_key="date_complete")
    parent_id = Id(data_key="transaction_parent_id")
    chargeback_at = Moment(data_key="chargeback_date")
    chargeback_code = Text()
    decline_reason = LongText(data_key="gateway_response_description")
    gateway_text = LongText(data_key="gateway_response_text")
    processor_text = LongText(data_key="processor_response_text")
    decline_code = Text(data_key="gateway_response_code")
    is_hard_decline = Flag(data_key="gateway_hard_decline")
    next_attempt_at = Moment(data_key="rebill_date")
    offers = Parts(OrderOfferSchema(), data_key="transaction_order_offers")
    line_items = Parts(LineItemSchema())
    billing = Part(AddressSchema(), data_key="customer_address_billing")
    shipping = Part(AddressSchema(), data_key="customer_address_shipping")
    modified_at = Moment(data_key="date_modified")

    def made_of(self, values: dict[str, Any]) -> records.Transaction | None:
        """
        The transaction, or None without an id.

        Shape:  Vrio: the ids of order, customer, campaign, sale and merchant stand in an object of their own, beside
                it, or both.
        """
        if "transaction_id" not in values:
            return None
        order = values.pop("order", records.Order())
        customer = values.pop("customer", order.customer or records.Customer())
        order_id, customer_id = values.pop("order_id", ""), values.pop("customer_id", order.customer_id)
        order_id, customer_id = order.order_id or order_id, customer.customer_id or customer_id
        offers = of_order(values.pop("offers", ()), order_id, customer_id)
        campaign = {"campaign_id": order.campaign_id, "campaign_name": order.campaign_name}
        referred = values.pop("campaign", {}) | {f"{name}_id": values.pop(name, "") for name in ("sale", "merchant")}
        approved = RESPONSE_CODES.get(values.pop("response_code", None))
        texts = [values.pop(name, "") for name in ("decline_reason", "gateway_text", "processor_text")]
        return records.Transaction(
            **{"approved": approved}
            | campaign
            | values
            | {name: found for name, found in referred.items() if found}
            | {"decline_reason": next(filter(None, texts), "")},
            order=replace(order, order_id=order_id, customer_id=order.customer_id or customer_id),
            customer=replace(customer, customer_id=customer_id),
            offers=offers,
        )


# Vrio: REST adds this code, which says again what the word says.
RESPONSE_CODES = {100: True, 200: False}

SCHEMAS: Mapping[str, RecordSchema] = {
    "transaction": TransactionSchema(),
    "order": OrderSchema(),
    "order_offer": OrderOfferSchema(),
    "shipment": ShipmentSchema(),
    "customer": CustomerSchema(),
}


class EnvelopeSchema(RecordSchema):
    type = Text(data_key="webhook_type")
    event = Text(data_key="webhook_event")
    event_id = Id(data_key="webhook_event_id")
    event_at = Moment(data_key="webhook_event_date")

    def made_of(self, values: dict[str, Any]) -> dict[str, Any]:
        return values


ENVELOPE = EnvelopeSchema()


def load(body: bytes, zone: tzinfo = UTC) -> records.Webhook:
    """
    One webhook, read as far as it can be.

    Shape:  what cannot be read is absent and named in `notes`, by its path below the thing that the webhook is about.
    Units:  dates without a zone are in `zone`.
    Raises: UnreadableWebhook, when nobody can tell what it is about.
    """
    data = parsed(body)
    outer = ZONE.set(zone)
    try:
        return _webhook(data)
    finally:
        ZONE.reset(outer)


def _webhook(data: Mapping[str, Any]) -> records.Webhook:
    envelope, unreadable = ENVELOPE.read(data)
    for name in ("type", "event"):
        if name not in envelope:
            raise UnreadableWebhook(f"The body has no webhook_{name} that can be read.")
    kind = envelope["type"] = envelope["type"].lower()
    envelope["event"] = envelope["event"].lower()
    things = data.get("webhook_data")
    thing = things.get(kind) if isinstance(things, dict) else None
    if not isinstance(thing, dict):
        raise UnreadableWebhook("webhook_data has no object named like webhook_type.")
    record = None
    if kind in SCHEMAS:
        record, bad_fields = SCHEMAS[kind].read(thing)
        if "id" in bad_fields:
            raise UnreadableWebhook(f"The {kind.replace('_', ' ')} has no id.")
        unreadable = {**unreadable, **bad_fields}
    return records.Webhook(**envelope, record=record, notes=notes(unreadable))
