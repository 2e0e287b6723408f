"""
Property blocks that events share, in the published page's names.

Source: the published page, "Placed Order / Placed Non-Recurring Order", "Refunded Order", "Started Subscription". What
        is not known is "", never left out.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from vrio_klaviyo.vrio.records import Address, LineItem, SubscriptionChange, Transaction


def order_properties(transaction: Transaction) -> dict[str, Any]:
    """
    The order, its lines and its addresses.

    Shape:  ItemNames are the offers' names, as on the page; names and categories stand once each, in line order.
    Units:  DiscountValue is the whole transaction's, RowTotal a line's before any discount.
    """
    phone = transaction.customer.phone_e164 or ""
    return {
        "OrderId": transaction.order.order_id,
        "TransactionId": transaction.transaction_id,
        "SaleId": transaction.sale_id,
        "Cycle": or_blank(transaction.cycle),
        "Attempt": or_blank(transaction.attempt),
        "MerchantId": transaction.merchant_id,
        "CardLastFour": transaction.card_last_four,
        "Categories": once_each(category for line in transaction.lines for category in line.categories),
        "ItemNames": offer_names(transaction.lines),
        "DiscountCode": transaction.discount_code,
        "DiscountValue": or_blank(transaction.discount),
        "Items": [_item(line) for line in transaction.lines],
        "BillingAddress": _address(transaction.billing, phone),
        "ShippingAddress": _address(transaction.shipping, phone),
    }


def refund_properties(credit: Transaction) -> dict[str, Any]:
    """
    What a refund and a void say of the money that goes back.

    Shape:  PartialRefund, only ever "true", stands where Items may hold more than was given back.
    """
    partial = {"PartialRefund": "true"} if credit.is_partial else {}
    return {
        "RefundAmount": or_blank(credit.total),
        "RefundDate": day(credit.completed_on),
        "RefundedTransactionId": credit.parent_id,
    } | partial


def subscription_properties(
    event_id: str, lines: Iterable[LineItem], discount_code: str, discount: Decimal | None
) -> dict[str, Any]:
    """
    A subscription: the lines of one order offer, of which there is at least one.

    Units:  OrderIntervalFrequency is in days, as on the page; DiscountValue is the whole transaction's.
    """
    lines = list(lines)
    days = next((line.interval_days for line in lines), None)
    return {
        # Klaviyo: in properties these two only look right; unique_id and value are what it reads.
        "$event_id": event_id,
        "$value": or_blank(row_totals(lines)),
        "ItemNames": offer_names(lines),
        "OrderIntervalUnit": "days" if days else "",
        "OrderIntervalFrequency": or_blank(days),
        "DiscountCode": discount_code,
        "DiscountValue": or_blank(discount),
        "Items": [product_properties(line) for line in lines],
    }


def change_properties(change: SubscriptionChange) -> dict[str, Any]:
    """The block of the subscription's start, and what tells this subscription from the customer's others."""
    block = subscription_properties(change.event_id, change.lines, change.discount_code, change.discount)
    return block | {
        "OrderId": change.order.order_id,
        "OfferId": change.offer.offer_id,
        "OfferName": change.offer.offer_name,
    }


def product_properties(line: LineItem) -> dict[str, Any]:
    """What is the same wherever a line is named."""
    return {
        "OfferName": line.offer_name,
        "OfferId": line.offer_id,
        "ItemId": line.item_id,
        "ItemName": line.item_name,
        "SKU": line.sku,
    }


def offer_names(lines: Iterable[LineItem]) -> list[str]:
    """The names of the lines' offers, once each."""
    return once_each(line.offer_name for line in lines)


def row_totals(lines: Iterable[LineItem]) -> Decimal | None:
    """The lines' totals, summed up; None where none is known."""
    totals = [line.total for line in lines if line.total is not None]
    return sum(totals, Decimal(0)) if totals else None


def once_each(texts: Iterable[str]) -> list[str]:
    """The filled ones of these texts, each where it stands first."""
    return list(dict.fromkeys(filter(None, texts)))


def or_blank(value: Decimal | int | None) -> Decimal | int | str:
    """The value, or the page's way to say that it is not known."""
    return "" if value is None else value


def day(on: date | None) -> str:
    """The day as the page writes it, 2025-08-30."""
    return on.isoformat() if on else ""


def _item(line: LineItem) -> dict[str, Any]:
    return product_properties(line) | {
        "Quantity": line.quantity,
        "ItemPrice": or_blank(line.price),
        "RowTotal": or_blank(line.total),
        "Categories": list(line.categories),
    }


def _address(address: Address | None, phone: str) -> dict[str, str]:
    """
    An address with the customer's phone; {} for none.

    Source: Klaviyo's guide to integrating a shop, "Placed Order": the published page only says "address details".
            Vrio: state and country have one form each, which stands for name and code.
    """
    if address is None:
        return {}
    return {
        "FirstName": address.first_name,
        "LastName": address.last_name,
        "Company": address.company,
        "Address1": address.address1,
        "Address2": address.address2,
        "City": address.city,
        "Region": address.state,
        "RegionCode": address.state,
        "Country": address.country,
        "CountryCode": address.country,
        "Zip": address.zip,
        "Phone": phone,
    }
