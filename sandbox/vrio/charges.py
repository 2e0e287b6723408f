"""What is paid for and sent: transactions, their sales and lines, parcels; frozen values like the other records."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sandbox.vrio.catalogue import Item, Offer
from sandbox.vrio.words import (
    Carrier,
    Currency,
    PaymentMethod,
    ReshipType,
    ShipmentStatus,
    TransactionStatus,
    TransactionType,
)

NOTHING = Decimal("0.00")


@dataclass(frozen=True, kw_only=True)
class LineItem:
    """
    One item of one transaction.

    Units:  `price` is for one, before the discount; the other amounts are for the whole line.
    """

    line_item_id: int
    order_offer_id: int
    offer: Offer
    offer_quantity: int
    item: Item
    quantity: int
    price: Decimal
    discount: Decimal
    discount_code: str | None
    is_upsell: bool
    is_recurring: bool
    is_gift: bool
    shipping: Decimal = NOTHING
    tax: Decimal = NOTHING

    @property
    def amount(self) -> Decimal:
        """Price times quantity, before the discount."""
        return self.price * self.quantity

    @property
    def sub_total(self) -> Decimal:
        return self.amount - self.discount + self.shipping

    @property
    def total(self) -> Decimal:
        return self.sub_total + self.tax


@dataclass(frozen=True)
class Dispute:
    """What a chargeback or an alert says of itself."""

    at: datetime
    code: str
    reference: str | None
    case: str


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """
    One attempt or credit at the gateway.

    Shape:  `approved` is None while it was not tried; `lines` are empty where an amount is given back and not items.
    """

    id: int
    order_id: int
    customer_id: int
    sale_id: int
    type: TransactionType
    status: TransactionStatus
    method: PaymentMethod
    currency: Currency
    cycle: int
    attempt: int
    approved: bool | None
    order_offer_ids: tuple[int, ...]
    lines: tuple[LineItem, ...]
    price: Decimal
    discount: Decimal
    shipping: Decimal
    tax: Decimal
    scheduled_at: datetime
    created_at: datetime
    modified_at: datetime
    is_test: bool
    completed_at: datetime | None = None
    skipped_at: datetime | None = None
    parent_id: int | None = None
    initial_id: int | None = None
    response: str = ""
    dispute: Dispute | None = None
    note: str | None = None

    @property
    def sub_total(self) -> Decimal:
        return self.price - self.discount + self.shipping

    @property
    def total(self) -> Decimal:
        return self.sub_total + self.tax


@dataclass(frozen=True, kw_only=True)
class Sale:
    """One cycle of an order, with all its attempts."""

    id: int
    order_id: int
    customer_id: int
    cycle: int
    status: str
    first_at: datetime
    last_at: datetime
    transaction_id: int
    attempts: int


@dataclass(frozen=True)
class Packed:
    """So many of one item in a parcel."""

    shipment_item_id: int
    item: Item
    quantity: int


@dataclass(frozen=True, kw_only=True)
class Shipment:
    """One parcel, and the transaction that paid for it."""

    id: int
    order_id: int
    customer_id: int
    transaction_id: int
    status: ShipmentStatus
    items: tuple[Packed, ...]
    scheduled_at: datetime
    created_at: datetime
    modified_at: datetime
    carrier: Carrier | None = None
    tracking_number: str | None = None
    fulfillment_id: str | None = None
    shipped_at: datetime | None = None
    cancelled_at: datetime | None = None
    reship: ReshipType | None = None
