"""
What the records are made of: an address, a customer, an order offer, a line item.

`records` hands them on, so that one import line does for all that Vrio tells us; what it says of text, dates and money
is true here too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """A billing or shipping address; country is two letters."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    address1: str = ""
    address2: str = ""
    city: str = ""
    state: str = ""
    country: str = ""
    zip: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """
    A person who buys.

    Shape:  phone as Vrio has it. Completing fills country, that of the address by which the phone number is read, and
            phone_e164, None when no number can be made of it. had_next_charge tells that there was a date of the next
            charge some time, so that Klaviyo may still hold one.
    """

    customer_id: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    country: str = ""
    phone_e164: str | None = None
    active_subscriber: bool | None = None
    clv: Decimal | None = None
    next_charge_on: date | None = None
    had_next_charge: bool = False
    addresses: tuple[Address, ...] = ()
    tracking: Mapping[str, str] = field(default_factory=dict)
    modified_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderOffer:
    """
    One line of an order; a subscription is a recurring one.

    Shape:  cancel_type_id is "" where Vrio wrote the reason instead of its number, and cancel_reason is the number as
            long as nobody says what it stands for. unpause_at may lie ahead: the planned end of a pause.
    """

    order_offer_id: str = ""
    order_id: str = ""
    customer_id: str = ""
    campaign_id: str = ""
    campaign_name: str = ""
    offer_id: str = ""
    offer_name: str = ""
    quantity: int | None = None
    price: Decimal | None = None
    is_recurring: bool | None = None
    is_gift: bool | None = None
    is_test: bool | None = None
    status: str = ""
    timeframe_id: str = ""
    timeframe_name: str = ""
    discount_id: str = ""
    cancel_type_id: str = ""
    cancel_reason: str = ""
    ordered_at: datetime | None = None
    last_charge_at: datetime | None = None
    next_charge_at: datetime | None = None
    paused_at: datetime | None = None
    unpause_at: datetime | None = None
    cancelled_at: datetime | None = None
    reactivated_at: datetime | None = None
    expires_at: datetime | None = None
    billing: Address | None = None
    shipping: Address | None = None
    modified_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LineItem:
    """
    One product on a transaction.

    Shape:  an offer that holds several items has a line for each. Where nothing is known of the item, item_name is the
            offer's and item_id and sku are "". interval_days is None for what is bought once, and where Vrio's label
            of the interval is not understood.
    Units:  price is for one, total for the line before any discount.
    """

    order_offer_id: str = ""
    offer_id: str = ""
    offer_name: str = ""
    item_id: str = ""
    item_name: str = ""
    sku: str = ""
    quantity: int = 1
    price: Decimal | None = None
    total: Decimal | None = None
    discount_code: str = ""
    categories: tuple[str, ...] = ()
    is_recurring: bool = False
    interval_days: int | None = None
