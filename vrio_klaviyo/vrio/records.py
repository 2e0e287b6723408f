"""
What Vrio tells us, as frozen values: a customer, an order, an order offer, a transaction, a shipment, a webhook.

Text that Vrio left out is "", any other thing is None. Dates are aware, UTC. Money is Decimal in major units.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from vrio_klaviyo.vrio.parts import Address, Customer, LineItem, OrderOffer

__all__ = [
    "Address",
    "ChangeKind",
    "Customer",
    "LineItem",
    "Order",
    "OrderOffer",
    "Record",
    "Shipment",
    "SubscriptionChange",
    "Transaction",
    "TransactionKind",
    "Webhook",
]

TransactionKind = Literal[
    "sale",
    "refund",
    "void",
    "chargeback",
    "alert",
    "auth",
    "capture",
    "cod",
    "chargeback reversal",
    "returned check",
]

# The first four are the published page's; what the others are told for is beyond it.
ChangeKind = Literal[
    "cancelled",
    "paused",
    "unpaused",
    "reactivated",
    "expired",
    "failed",
    "rescheduled",
    "upcoming",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """
    One checkout.

    Shape:  tracking holds only the filled ones of tracking1 to tracking20. Completing fills lines, currency and
            abandoned_at, which Vrio dates nowhere but on the webhook, and which means something only where it was.
    """

    order_id: str = ""
    customer_id: str = ""
    campaign_id: str = ""
    campaign_name: str = ""
    is_test: bool | None = None
    status: str = ""
    currency: str = ""
    discount: Decimal | None = None
    cart_total: Decimal | None = None
    checkout_url: str = ""
    tracking: Mapping[str, str] = field(default_factory=dict)
    offers: tuple[OrderOffer, ...] = ()
    lines: tuple[LineItem, ...] = ()
    customer: Customer | None = None
    billing: Address | None = None
    shipping: Address | None = None
    ordered_at: datetime | None = None
    abandoned_at: datetime | None = None
    modified_at: datetime | None = None

    @property
    def happened_at(self) -> datetime:
        """`abandoned_at` of an order that completing has seen."""
        return _completed(self.abandoned_at, f"order {self.order_id}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Transaction:
    """
    One attempt or credit at the payment gateway.

    Shape:  offers and line_items as they came; `lines` is what completing made of both, and what builders read.
            approved is None when the word in `transaction_declined` is not one that we know. parent is the charge that
            a credit is about; is_partial, that the credit leaves some of it and does not say for which lines it is.
            paid_before counts the payments for the same lines before it. product_ids are the event ids that its lines
            were first told under, "" for a line that was told with another; told_starts are those of subscriptions that
            another payment was the start of. declined_before are the refused attempts that this payment makes good, the
            first one first.
    Units:  total is never negative; completed_at falls back to the webhook's date; what ends in `_on` is a day on the
            source's calendar. already_credited is what earlier credits took from the parent. changed_at is when it was
            skipped or put back, next_attempt_at lies ahead of a refusal.
    """

    transaction_id: str
    kind: TransactionKind | None = None
    approved: bool | None = None
    order: Order = field(default_factory=Order)
    customer: Customer = field(default_factory=Customer)
    campaign_id: str = ""
    campaign_name: str = ""
    sale_id: str = ""
    cycle: int | None = None
    attempt: int | None = None
    paid_before: int = 0
    merchant_id: str = ""
    card_last_four: str = ""
    currency: str = ""
    sub_total: Decimal | None = None
    shipping_total: Decimal | None = None
    tax: Decimal | None = None
    total: Decimal | None = None
    discount: Decimal | None = None
    discount_code: str = ""
    scheduled_at: datetime | None = None
    scheduled_on: date | None = None
    skipped_at: datetime | None = None
    changed_at: datetime | None = None
    changed_on: date | None = None
    completed_at: datetime | None = None
    completed_on: date | None = None
    parent_id: str = ""
    parent: "Transaction | None" = None
    already_credited: Decimal = Decimal(0)
    is_partial: bool = False
    chargeback_at: datetime | None = None
    chargeback_on: date | None = None
    chargeback_code: str = ""
    decline_reason: str = ""
    decline_code: str = ""
    is_hard_decline: bool | None = None
    next_attempt_at: datetime | None = None
    next_attempt_on: date | None = None
    declined_before: "tuple[Transaction, ...]" = ()
    first_declined_on: date | None = None
    offers: tuple[OrderOffer, ...] = ()
    line_items: tuple[LineItem, ...] = ()
    lines: tuple[LineItem, ...] = ()
    product_ids: tuple[str, ...] = ()
    told_starts: tuple[str, ...] = ()
    billing: Address | None = None
    shipping: Address | None = None
    modified_at: datetime | None = None

    @property
    def happened_at(self) -> datetime:
        """`completed_at` of a transaction that completing has seen."""
        return _completed(self.completed_at, f"transaction {self.transaction_id}")

    @property
    def chosen_at(self) -> datetime:
        """`changed_at` of a transaction that completing has seen."""
        return _completed(self.changed_at, f"transaction {self.transaction_id}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Shipment:
    """
    One parcel.

    Shape:  carrier in Vrio's own spelling; items hold what the parcel does, without prices or offers. transaction_id is
            that of the charge that paid for it. Completing fills transaction, order and customer from the memory,
            lines with what builders read, event_id, shipped_on and currency.
    Units:  shipped_at falls back to the webhook's date; shipped_on is its day on the source's calendar.
    """

    shipment_id: str = ""
    order_id: str = ""
    customer_id: str = ""
    transaction_id: str = ""
    campaign_id: str = ""
    campaign_name: str = ""
    status: str = ""
    carrier: str = ""
    tracking_number: str = ""
    is_reship: bool = False
    is_test: bool | None = None
    items: tuple[LineItem, ...] = ()
    lines: tuple[LineItem, ...] = ()
    transaction: Transaction | None = None
    order: Order = field(default_factory=Order)
    customer: Customer = field(default_factory=Customer)
    event_id: str = ""
    currency: str = ""
    billing: Address | None = None
    shipping: Address | None = None
    shipped_at: datetime | None = None
    shipped_on: date | None = None
    modified_at: datetime | None = None

    @property
    def happened_at(self) -> datetime:
        """`shipped_at` of a shipment that completing has seen."""
        return _completed(self.shipped_at, f"shipment {self.shipment_id}")


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionChange:
    """
    A subscription that is no longer what it was; made of an order offer's webhook and of what we remember.

    Shape:  transaction is the line's latest approved payment, lines are the line's items. previous_status is "" where
            nothing was remembered. unpaid is the latest attempt when the bank refused that, is_last says that no other
            subscription of the customer is active.
    Units:  `at` is when it changed, `on` its day on the source's calendar; paused_until_on, the day on which a pause
            is to end, is given only when it lies ahead of `at`. next_charge_on is when the next charge is due,
            previous_charge_on when it was due before.
    """

    kind: ChangeKind
    offer: OrderOffer
    at: datetime
    on: date | None = None
    paused_until_on: date | None = None
    next_charge_on: date | None = None
    previous_charge_at: datetime | None = None
    previous_charge_on: date | None = None
    previous_status: str = ""
    unpaid: Transaction | None = None
    is_last: bool = False
    event_id: str = ""
    customer: Customer = field(default_factory=Customer)
    order: Order = field(default_factory=Order)
    transaction: Transaction | None = None
    lines: tuple[LineItem, ...] = ()
    currency: str = ""
    discount: Decimal | None = None
    discount_code: str = ""


Record = Transaction | Order | OrderOffer | Shipment | SubscriptionChange | Customer


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """
    One webhook, read.

    Shape:  record is None where the kind of thing is one that we keep but do not know. notes say which fields could
            not be read; they name the field, never its value.
    """

    type: str
    event: str
    event_id: str = ""
    event_at: datetime | None = None
    record: Record | None = None
    notes: tuple[str, ...] = ()


def _completed(moment: datetime | None, thing: str) -> datetime:
    if moment is None:
        raise ValueError(f"{thing} has not been completed")
    return moment
