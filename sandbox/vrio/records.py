"""The things of the story, each as it is at one moment: frozen values, kept by the world in all their versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sandbox.vrio.catalogue import Campaign, Discount, Offer
from sandbox.vrio.words import (
    CancelReason,
    CardType,
    Currency,
    Status,
)


@dataclass(frozen=True)
class Phone:
    """A number as the customer typed it, and as E.164 where the story knows that form; no form is no phone."""

    typed: str | None
    e164: str | None


@dataclass(frozen=True, kw_only=True)
class Address:
    address_id: int
    first_name: str
    last_name: str
    street: str
    city: str
    country: str
    state: str
    zipcode: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Card:
    card_id: int
    type: CardType
    number: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Customer:
    """`addresses` are billing and shipping."""

    id: int
    first_name: str
    last_name: str
    email: str | None
    phone: Phone
    ip_address: str
    currency: Currency
    card: Card
    addresses: tuple[Address, Address]
    created_at: datetime
    modified_at: datetime
    is_blacklist: bool = False

    @property
    def customer_id(self) -> int:
        return self.id


@dataclass(frozen=True)
class Revision:
    """A note on an order."""

    revision_id: int
    note: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Order:
    """One checkout; `has_payment` says that it got as far as an address and a card."""

    id: int
    customer_id: int
    campaign: Campaign
    created_at: datetime
    modified_at: datetime
    cart_token: str
    tracking: Mapping[int, str]
    is_test: bool
    discount: Discount | None = None
    has_payment: bool = True
    status: Status | None = None
    ordered_at: datetime | None = None
    authorized_at: datetime | None = None
    auto_capture_at: datetime | None = None
    captured_at: datetime | None = None
    abandoned_at: datetime | None = None
    revisions: tuple[Revision, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OrderOffer:
    """
    One line of an order; a subscription is a recurring one.

    Shape:  `cycle` counts the paid cycles; `next_*` are None when nothing is to be charged.
    Units:  `price` is for one, before any discount.
    """

    id: int
    order_id: int
    customer_id: int
    offer: Offer
    quantity: int
    price: Decimal
    is_recurring: bool
    is_gift: bool
    is_upsell: bool
    is_test: bool
    created_at: datetime
    modified_at: datetime
    discount: Discount | None = None
    status: Status | None = None
    cycle: int = 0
    ordered_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: CancelReason | None = None
    paused_at: datetime | None = None
    unpause_at: datetime | None = None
    reactivated_at: datetime | None = None
    expires_at: datetime | None = None
    last_charge_at: datetime | None = None
    last_amount: Decimal | None = None
    next_charge_at: datetime | None = None
    next_price: Decimal | None = None
    next_transaction_id: int | None = None

    @property
    def amount(self) -> Decimal:
        """What the whole line costs, before any discount."""
        return self.price * self.quantity

    @property
    def is_active_subscription(self) -> bool:
        return self.is_recurring and self.status is Status.ACTIVE


@dataclass(frozen=True)
class Change:
    """What the story did to a subscription: cancelled, paused, unpaused or reactivated it."""

    customer_id: int
    order_offer_id: int
    kind: str
    at: datetime
