"""
The attempts at one charge: which payment made good what was refused, what stayed unpaid, and when it is tried again.

Source: our choice. Vrio: each attempt is a transaction of its own, with the cycle of the charge; nothing says which of
        them belong together, or that one was the last. Webhooks may come in any order, so both sides ask the same.
"""

from collections.abc import Iterable
from datetime import datetime

from vrio_klaviyo.vrio.payments import LONG_AGO
from vrio_klaviyo.vrio.records import OrderOffer, Transaction

_TRIED = ("sale", "capture", "auth")
_PAID = ("sale", "capture")


def refused(attempt: Transaction) -> bool:
    """Whether the bank refused a payment."""
    return attempt.approved is False and attempt.kind in _TRIED


def made_good(payment: Transaction, known: Iterable[Transaction]) -> tuple[Transaction, ...]:
    """The refused attempts at the same charge that this payment makes good, the first one first."""
    if not _paid(payment):
        return ()
    known = list(known)
    earlier = (one for one in known if refused(one) and _follows(payment, one))
    mine = (one for one in earlier if _first_paid_after(one, [*known, payment]) == payment.transaction_id)
    return tuple(sorted(mine, key=_order))


def recovery(attempt: Transaction, known: Iterable[Transaction]) -> Transaction | None:
    """The payment that made a refused attempt good; None as long as none did."""
    known = list(known)
    paid_by = _first_paid_after(attempt, known)
    return next((one for one in known if one.transaction_id == paid_by), None)


def unpaid(order_offer_id: str, ended_at: datetime, known: Iterable[Transaction]) -> Transaction | None:
    """The last attempt at a subscription until it ended, when the bank refused that one; else None."""
    tried = [
        one
        for one in known
        if (refused(one) or _paid(one))
        and _order(one)[0] <= ended_at
        and any(line.order_offer_id == order_offer_id for line in one.offers)
    ]
    last = max(tried, key=_order, default=None)
    return last if last and refused(last) else None


def next_attempt(attempt: Transaction, offers: Iterable[OrderOffer]) -> datetime | None:
    """
    When a refused payment is tried again: as it says itself, else the next charge of its subscription; None if unknown.

    Source: our choice; Vrio documents no date of the next attempt.
    """
    if not refused(attempt) or attempt.completed_at is None:
        return None
    mine = {line.order_offer_id for line in attempt.offers}
    dates = [attempt.next_attempt_at]
    dates += [offer.next_charge_at for offer in offers if offer.order_offer_id in mine and offer.status == "active"]
    return next((date for date in dates if date and date > attempt.completed_at), None)


def _first_paid_after(attempt: Transaction, known: Iterable[Transaction]) -> str:
    after = (one for one in known if _paid(one) and _follows(one, attempt))
    first = min(after, key=_order, default=None)
    return first.transaction_id if first else ""


def _paid(payment: Transaction) -> bool:
    return bool(payment.approved) and payment.kind in _PAID


def _follows(later: Transaction, earlier: Transaction) -> bool:
    """Whether both are attempts at the same charge, one after the other."""
    offers = {line.order_offer_id for line in later.offers} & {line.order_offer_id for line in earlier.offers}
    same = bool(offers - {""}) and (later.cycle or 1) == (earlier.cycle or 1)
    return same and _order(earlier) < _order(later)


def _order(attempt: Transaction) -> tuple[datetime, int, str]:
    """Vrio: ids ascend."""
    return attempt.completed_at or LONG_AGO, len(attempt.transaction_id), attempt.transaction_id
