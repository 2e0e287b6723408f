"""
Refunds, voids, chargebacks and alerts: what they are about, when Vrio only says which charge.

Source: requirement 003-39. Vrio: a credit is an amount; whether it lists items of its own is written nowhere.
"""

from dataclasses import replace

from vrio_klaviyo.vrio.lifetime_value import GIVEN_BACK
from vrio_klaviyo.vrio.lines import bought
from vrio_klaviyo.vrio.records import LineItem, Transaction

CREDITS = frozenset({*GIVEN_BACK, "alert"})

_SAME_AS_THE_CHARGE = (
    "campaign_id",
    "campaign_name",
    "sale_id",
    "cycle",
    "attempt",
    "merchant_id",
    "card_last_four",
    "currency",
    "discount",
    "discount_code",
    "billing",
    "shipping",
)


def like_its_charge(credit: Transaction, charge: Transaction) -> Transaction:
    """The credit with what it leaves out and its charge says; what it does say stands."""
    left_out = {name: getattr(charge, name) for name in _SAME_AS_THE_CHARGE if getattr(credit, name) in ("", None)}
    return replace(credit, parent=charge, **left_out)


def credited(credit: Transaction) -> list[LineItem]:
    """The lines that a credit is about: its own, else all of its charge, else its offers."""
    charge = credit.parent
    if credit.line_items:
        return bought(credit.line_items, (*credit.offers, *(charge.offers if charge else ())))
    return list(charge.lines if charge else ()) or bought((), credit.offers)


def leaves_some(credit: Transaction) -> bool:
    """Whether a credit takes less than what was left of its charge, without a word on which lines it is for."""
    charge = credit.parent
    if credit.kind not in GIVEN_BACK or credit.line_items or charge is None:
        return False
    if charge.total is None or credit.total is None:
        return False
    return credit.total < charge.total - credit.already_credited
