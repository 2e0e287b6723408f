"""The profile that Klaviyo must hold of one customer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from sandbox.vrio.charges import NOTHING, Transaction
from sandbox.vrio.records import Customer, Order, OrderOffer
from sandbox.vrio.words import TransactionType
from sandbox.vrio.world import Moment, World

COUNTED = {
    TransactionType.SALE: 1,
    TransactionType.CAPTURE: 1,
    TransactionType.COD: 1,
    TransactionType.REFUND: -1,
    TransactionType.VOID: -1,
    TransactionType.CHARGEBACK: -1,
}


@dataclass(frozen=True)
class Period:
    """
    How long a customer had an address.

    Shape:  `email` is empty when nobody can be reached there; `seen_at` is the last moment under it.
    """

    email: str
    begins_at: datetime
    ends_at: datetime
    seen_at: datetime


def periods_of(world: World, customer: Customer) -> list[Period]:
    """One period, and one more for each new address."""
    history = world.history(Customer, customer.id)
    begins = [(at, told.email) for at, told in history]
    changed = [begins[0], *(new for old, new in pairwise(begins) if new[1] != old[1])]
    ends = [at for at, _ in changed[1:]]
    periods = [
        Period(_address(email), at, end, end - timedelta(seconds=1))
        for (at, email), end in zip(changed, ends, strict=False)
    ]
    last_at, email = changed[-1]
    return [*periods, Period(_address(email), last_at, datetime.max, world.ends_at)]


def profile_at(moment: Moment, customer: Customer, with_rest: bool) -> dict[str, Any]:
    """The profile as of a moment; what there is not is left out."""
    told = moment.get(Customer, customer.id)
    offers = [offer for offer in moment.all(OrderOffer, told.id) if offer.is_active_subscription and not offer.is_test]
    due = [offer.next_charge_at for offer in offers if offer.next_charge_at and offer.next_charge_at > moment.at]
    orders = [order for order in moment.all(Order, told.id) if not order.is_test]
    profile: dict[str, Any] = {
        "first_name": told.first_name,
        "last_name": told.last_name,
        "CLV": f"{_lifetime_value(moment, told, with_rest):.2f}",
        "ActiveSubscriber": bool(offers),
    }
    if told.phone.e164:
        profile["phone_number"] = told.phone.e164
    if due:
        profile["NextChargeDate"] = min(due).date().isoformat()
    if orders:
        profile |= {f"tracking{number}": text for number, text in orders[-1].tracking.items()}
    return profile


def _lifetime_value(moment: Moment, customer: Customer, with_rest: bool) -> Decimal:
    """
    What was paid less what went back, in the account's currency; tests, alerts and authorizations are not money.

    Source: requirement 003-21, which does not name the reversal of a chargeback: it adds nothing back.
    """
    world, value = moment.world, NOTHING
    for paid in moment.all(Transaction, customer.id):
        if paid.is_test or not paid.approved or paid.completed_at is None or paid.currency is not world.currency:
            continue
        parent = moment.get(Transaction, paid.parent_id) if paid.parent_id else None
        takes_back_an_auth = paid.type is TransactionType.VOID and parent and parent.type is TransactionType.AUTH
        if not takes_back_an_auth and (with_rest or paid.completed_at >= world.opened_at):
            value += COUNTED.get(paid.type, 0) * paid.total
    return value


def _address(email: str | None) -> str:
    """The address as it identifies a profile, or nothing."""
    told = (email or "").strip().lower()
    user, _, domain = told.partition("@")
    return told if user and "." in domain and " " not in told and "@" not in domain else ""
