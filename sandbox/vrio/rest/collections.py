"""
What can be asked for: customers, orders, order offers and transactions, with their filters and expansions.

Source: Vrio's API reference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.vrio.charges import Sale, Transaction
from sandbox.vrio.records import Customer, Order, OrderOffer
from sandbox.vrio.shapes import Fields, goods, orders, parcels, payments, people
from sandbox.vrio.words import TransactionStatus, TransactionType
from sandbox.vrio.world import Moment

Part = Callable[[Moment, Any], Any]


@dataclass(frozen=True)
class Collection:
    """
    One kind of thing at one path.

    Shape:  `filters` give what a query parameter is compared with; `narrowing` are those that make a date range
            unnecessary; `naming` is the one that names the things themselves, whose requests are not counted.
    """

    name: str
    record: type[Any]
    fields: Callable[[Moment, Any], Fields]
    expansions: Mapping[str, Part]
    filters: Mapping[str, Part]
    naming: str
    narrowing: frozenset[str]
    default_limit: int = 200


def _billing(moment: Moment, told: Any) -> Fields | None:
    return _address(moment, told, 0)


def _shipping(moment: Moment, told: Any) -> Fields | None:
    return _address(moment, told, 1)


def _address(moment: Moment, told: Any, which: int) -> Fields | None:
    order = told if isinstance(told, Order) else moment.order(told)
    return people.address(moment.customer(told).addresses[which]) if order.has_payment else None


def _addresses(moment: Moment, told: Customer) -> list[Fields]:
    return [people.address(address) for address in dict.fromkeys(told.addresses)]


def _customer(moment: Moment, told: Any) -> Fields:
    return people.customer(moment, moment.customer(told))


def _campaign(moment: Moment, told: Any) -> Fields:
    return goods.campaign((told if isinstance(told, Order) else moment.order(told)).campaign)


def _email(moment: Moment, told: Any) -> str:
    return (moment.customer(told).email or "").strip().lower()


def _card(moment: Moment, told: Transaction) -> Fields:
    return {**people.card(moment.customer(told).card), "customer_card_merchant_token": None}


def _credits(moment: Moment, told: Transaction) -> list[Fields]:
    """What was given back of it."""
    of_it = [made for made in moment.transactions(moment.order(told)) if made.parent_id == told.id and made.approved]
    # A capture names its authorization as parent, too, and gives nothing back.
    return [payments.transaction(moment, credit) for credit in of_it if credit.type is not TransactionType.CAPTURE]


def _sale(moment: Moment, told: Transaction) -> Fields | None:
    sale = moment.find(Sale, told.sale_id)
    return payments.sale(moment, sale) if sale else None


def _of(name: str) -> Part:
    return lambda moment, told: getattr(told, name)


_ADDRESSES: Mapping[str, Part] = {
    "customer_address_billing": _billing,
    "customer_address_shipping": _shipping,
    "campaign": _campaign,
}
_WHOSE: Mapping[str, Part] = {"customer_id": _of("customer_id"), "customer_email": _email, "email": _email}

COLLECTIONS = {
    "customers": Collection(
        name="customers",
        record=Customer,
        fields=people.customer,
        expansions={
            "customer_cards": lambda moment, told: [people.card(told.card)],
            "customer_addresses": _addresses,
        },
        filters=_WHOSE,
        naming="customer_id",
        narrowing=frozenset(_WHOSE),
    ),
    "orders": Collection(
        name="orders",
        record=Order,
        fields=orders.order,
        expansions={
            "order_offers": lambda moment, told: [orders.order_offer(moment, one) for one in moment.offers(told)],
            "customer": _customer,
            "cart": orders.cart,
            "order_revisions": lambda moment, told: orders.revisions(told),
            **_ADDRESSES,
        },
        filters={
            **_WHOSE,
            "order_id": _of("id"),
            "status_type_id": _of("status"),
            "campaign_id": lambda moment, told: told.campaign.campaign_id,
            "is_test": _of("is_test"),
        },
        naming="order_id",
        narrowing=frozenset(_WHOSE) | {"order_id"},
    ),
    "order_offers": Collection(
        name="order_offers",
        record=OrderOffer,
        fields=orders.order_offer,
        expansions={
            "order_offer_items": lambda moment, told: goods.order_offer_items(told),
            "discount": lambda moment, told: goods.discount(told.discount),
            **_ADDRESSES,
        },
        filters={
            **_WHOSE,
            "order_offer_id": _of("id"),
            "order_id": _of("order_id"),
            "offer_id": lambda moment, told: told.offer.offer_id,
            "status_type_id": _of("status"),
            "is_recurring": _of("is_recurring"),
            "discount_code": lambda moment, told: told.discount and told.discount.code,
        },
        naming="order_offer_id",
        narrowing=frozenset(_WHOSE) | {"order_offer_id", "order_id"},
    ),
    "transactions": Collection(
        name="transactions",
        record=Transaction,
        fields=payments.transaction,
        expansions={
            "sale": _sale,
            "line_items": lambda moment, told: [payments.line_item(moment, told, line) for line in told.lines],
            "credits": _credits,
            "shipments": lambda moment, told: [parcels.shipment(moment, one) for one in moment.shipments(told)],
            "order": lambda moment, told: orders.order(moment, moment.order(told)),
            "order_revisions": lambda moment, told: orders.revisions(moment.order(told)),
            "customer": _customer,
            "customer_card": _card,
            "merchant": lambda moment, told: goods.merchant(),
            **_ADDRESSES,
        },
        filters={
            **_WHOSE,
            "transaction_id": _of("id"),
            "order_id": _of("order_id"),
            "transaction_type_id": _of("type"),
            "transaction_status": _of("status"),
            "transaction_success": lambda moment, told: told.status is TransactionStatus.COMPLETE and told.approved,
            "merchant_id": lambda moment, told: goods.merchant()["merchant_id"],
        },
        naming="transaction_id",
        narrowing=frozenset(_WHOSE) | {"transaction_id", "order_id"},
        default_limit=25,
    ),
}
