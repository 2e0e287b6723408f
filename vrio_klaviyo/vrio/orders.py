"""
The schemas of what is bought: order, order offer and line item; and of the parcel that it comes in.

Source: Vrio API reference; Vrio help centre, "Webhook events reference", "Order offer webhooks", "Fulfillment via
        webhooks".
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from vrio_klaviyo.vrio import records, words
from vrio_klaviyo.vrio.amounts import Count, Moment, Money, Unsigned
from vrio_klaviyo.vrio.fields import Id, Link, Text, Tracking
from vrio_klaviyo.vrio.labels import Flag, Label, Word
from vrio_klaviyo.vrio.people import AddressSchema, CustomerSchema
from vrio_klaviyo.vrio.reading import Part, Parts, RecordSchema


class CampaignSchema(RecordSchema):
    """The campaign beside a thing; what it says wins over the id that the thing itself has."""

    thing = "campaign"

    campaign_id = Id(data_key="id")
    campaign_name = Text()

    def made_of(self, values: dict[str, Any]) -> dict[str, Any]:
        return values


class OrderOfferSchema(RecordSchema):
    thing = "order_offer"
    record = records.OrderOffer

    order_offer_id = Id(data_key="id", required=True)
    order_id = Id()
    customer_id = Id()
    campaign_id = Id()
    campaign = Part(CampaignSchema())
    offer_id = Id()
    offer_name = Text()
    quantity = Count(data_key="order_offer_quantity")
    price = Money(data_key="order_offer_price")
    is_recurring = Flag()
    offer_type = Word(words.OFFER_TYPES, data_key="offer_type_id")
    is_gift = Flag()
    is_test = Flag()
    status = Word(words.STATUSES, data_key="status_type_id")
    timeframe_id = Id(data_key="charge_timeframe_id")
    timeframe_name = Text(data_key="charge_timeframe_name")
    discount_id = Id()
    cancel_reason = Text(data_key="cancel_type_id")
    ordered_at = Moment(data_key="date_ordered")
    last_charge_at = Moment(data_key="last_recurring_date")
    next_charge_at = Moment(data_key="next_recurring_date")
    paused_at = Moment(data_key="date_pause")
    unpause_at = Moment(data_key="date_unpause")
    cancelled_at = Moment(data_key="date_cancel")
    reactivated_at = Moment(data_key="date_reactivate")
    expires_at = Moment(data_key="date_expiration")
    billing = Part(AddressSchema(), data_key="customer_address_billing")
    shipping = Part(AddressSchema(), data_key="customer_address_shipping")
    modified_at = Moment(data_key="date_modified")

    def made_of(self, values: dict[str, Any]) -> records.OrderOffer:
        offer_type = values.pop("offer_type", None)
        if offer_type:
            values.setdefault("is_recurring", offer_type == "recurring")
        campaign = values.pop("campaign", {})
        # Vrio: the list of reasons is each account's own. Webhooks write the word, REST its number; 0 is none.
        reason = values.pop("cancel_reason", "")
        reason = "" if reason == "0" else reason
        number = reason if reason.isdecimal() else ""
        return records.OrderOffer(**values | campaign | {"cancel_reason": reason, "cancel_type_id": number})


def of_order(offers: Iterable[records.OrderOffer], order_id: str, customer_id: str) -> tuple[records.OrderOffer, ...]:
    """Order offers as they stand inside a thing, where Vrio need not say again whose they are."""
    return tuple(
        replace(offer, order_id=offer.order_id or order_id, customer_id=offer.customer_id or customer_id)
        for offer in offers
    )


class CartSchema(RecordSchema):
    total = Money()
    checkout_url = Link()

    def made_of(self, values: dict[str, Any]) -> dict[str, Any]:
        return values


class OrderSchema(RecordSchema):
    thing = "order"
    record = records.Order

    order_id = Id(data_key="id", required=True)
    customer_id = Id()
    campaign_id = Id()
    campaign = Part(CampaignSchema())
    is_test = Flag()
    status = Word(words.STATUSES, data_key="status_type_id")
    discount = Unsigned(data_key="order_discount")
    cart = Part(CartSchema())
    tracking = Tracking(data_key="")
    offers = Parts(OrderOfferSchema(), data_key="order_offers")
    customer = Part(CustomerSchema())
    billing = Part(AddressSchema(), data_key="customer_address_billing")
    shipping = Part(AddressSchema(), data_key="customer_address_shipping")
    ordered_at = Moment(data_key="date_ordered")
    modified_at = Moment(data_key="date_modified")

    def made_of(self, values: dict[str, Any]) -> records.Order:
        campaign, cart = values.pop("campaign", {}), values.pop("cart", {})
        cart = {"cart_total": cart.get("total"), "checkout_url": cart.get("checkout_url", "")}
        customer = values.get("customer")
        customer_id = values.pop("customer_id", customer.customer_id if customer else "")
        offers = of_order(values.pop("offers", ()), values.get("order_id", ""), customer_id)
        return records.Order(**values | campaign | cart, customer_id=customer_id, offers=offers)


class ShippedItemSchema(RecordSchema):
    """An item in a parcel. Only there does Vrio write its SKU; a price it has nowhere."""

    record = records.LineItem

    item_id = Id()
    item_name = Text()
    sku = Text(data_key="shipment_item_sku")
    quantity = Count()

    def made_of(self, values: dict[str, Any]) -> records.LineItem:
        return records.LineItem(**{"quantity": 0} | values)


class LineItemSchema(RecordSchema):
    record = records.LineItem

    order_offer_id = Id()
    offer_id = Id()
    offer_name = Text()
    item_id = Id()
    item_name = Text()
    sku = Text(data_key="item_sku")
    quantity = Count(data_key="item_quantity")
    price = Money(data_key="line_item_price")
    discount_code = Text()
    shipped = Parts(ShippedItemSchema(), data_key="line_item_shipments")

    def made_of(self, values: dict[str, Any]) -> records.LineItem:
        # The record's own default is 1; here 0 says that nobody knows, and completing notes it.
        quantity = values.pop("quantity", 0)
        shipped = {part.item_id: part.sku for part in values.pop("shipped", ()) if part.sku}
        sku = values.get("sku") or shipped.get(values.get("item_id", ""), "")
        return records.LineItem(**values | {"quantity": quantity, "sku": sku})


class ShipmentSchema(RecordSchema):
    thing = "shipment"
    record = records.Shipment

    shipment_id = Id(data_key="id", required=True)
    order_id = Id()
    customer_id = Id()
    transaction_id = Id(data_key="transaction_charge_id")
    campaign_id = Id()
    campaign = Part(CampaignSchema())
    status = Word(words.SHIPMENT_STATUSES, data_key="shipment_status_id")
    carrier = Label(words.CARRIERS, data_key="carrier_id")
    tracking_number = Text(data_key="shipment_tracking_id")
    reship_type = Text(data_key="shipping_reship_type_id")
    parent_type = Label(words.SHIPMENT_PARENTS, data_key="shipment_parent_type_id")
    is_test = Flag()
    items = Parts(ShippedItemSchema(), data_key="shipment_items")
    billing = Part(AddressSchema(), data_key="customer_address_billing")
    shipping = Part(AddressSchema(), data_key="customer_address_shipping")
    shipped_at = Moment(data_key="date_complete")
    modified_at = Moment(data_key="date_modified")

    def made_of(self, values: dict[str, Any]) -> records.Shipment:
        # Vrio: a gift or a reward has a parent too, and is no second try of anything.
        reship = values.pop("reship_type", "0") != "0", values.pop("parent_type", "") == "reship"
        campaign = values.pop("campaign", {})
        return records.Shipment(**values | campaign | {"is_reship": any(reship)})
