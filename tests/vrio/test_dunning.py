"""Which attempts belong to one charge, and what became of it."""

from datetime import UTC, datetime, timedelta

from vrio_klaviyo.vrio import dunning
from vrio_klaviyo.vrio.records import OrderOffer, Transaction, TransactionKind

BEGAN = datetime(2025, 9, 14, 10, 30, tzinfo=UTC)


def attempt(
    day: int, *, approved: bool, cycle: int | None = 2, offer: str = "4001", kind: TransactionKind = "sale"
) -> Transaction:
    return Transaction(
        transaction_id=str(1700 + day),
        kind=kind,
        approved=approved,
        cycle=cycle,
        completed_at=BEGAN + timedelta(days=day),
        offers=(OrderOffer(order_offer_id=offer),),
    )


NO, AGAIN_NO, YES = attempt(0, approved=False), attempt(3, approved=False), attempt(6, approved=True)


def test_a_payment_makes_good_all_that_was_refused_before_it() -> None:
    assert dunning.made_good(YES, [AGAIN_NO, YES, NO]) == (NO, AGAIN_NO)
    assert dunning.recovery(NO, [YES, AGAIN_NO, NO]) == YES


def test_it_does_so_before_it_is_remembered_itself() -> None:
    assert dunning.made_good(YES, [NO]) == (NO,)


def test_only_the_first_payment_after_a_refusal_does() -> None:
    second = attempt(8, approved=True)
    assert dunning.made_good(second, [NO, YES, second]) == ()
    assert dunning.recovery(NO, [second, YES]) == YES


def test_another_cycle_or_another_subscription_is_another_charge() -> None:
    assert dunning.made_good(attempt(6, approved=True, cycle=3), [NO]) == ()
    assert dunning.made_good(attempt(6, approved=True, offer="4002"), [NO]) == ()
    assert dunning.made_good(attempt(6, approved=True, offer=""), [attempt(0, approved=False, offer="")]) == ()
    assert dunning.made_good(attempt(6, approved=True, cycle=None), [attempt(0, approved=False, cycle=1)]) != ()


def test_what_was_refused_later_or_is_no_payment_is_not_made_good() -> None:
    assert dunning.made_good(YES, [attempt(7, approved=False)]) == ()
    assert dunning.made_good(YES, [attempt(0, approved=False, kind="refund")]) == ()
    assert dunning.made_good(attempt(6, approved=True, kind="auth"), [NO]) == ()
    assert dunning.made_good(AGAIN_NO, [NO]) == ()
    assert dunning.recovery(NO, [NO, AGAIN_NO]) is None


def test_a_charge_is_unpaid_when_its_last_attempt_before_the_end_was_refused() -> None:
    ended = BEGAN + timedelta(days=10)
    assert dunning.unpaid("4001", ended, [NO, AGAIN_NO]) == AGAIN_NO
    assert dunning.unpaid("4001", ended, [NO, YES]) is None
    assert dunning.unpaid("4001", BEGAN + timedelta(days=1), [NO, YES]) == NO
    assert dunning.unpaid("4002", ended, [NO]) is None
    assert dunning.unpaid("4001", ended, []) is None


def test_the_next_attempt_is_as_told_else_the_next_charge_and_lies_ahead() -> None:
    told, planned = BEGAN + timedelta(days=3), BEGAN + timedelta(days=5)
    offer = OrderOffer(order_offer_id="4001", status="active", next_charge_at=planned)
    refused = Transaction(
        transaction_id="1700",
        kind="sale",
        approved=False,
        completed_at=BEGAN,
        offers=(offer,),
        next_attempt_at=told,
    )
    assert dunning.next_attempt(refused, [offer]) == told
    assert dunning.next_attempt(NO, [offer]) == planned
    assert dunning.next_attempt(NO, [OrderOffer(order_offer_id="4001", status="active", next_charge_at=BEGAN)]) is None
    assert (
        dunning.next_attempt(NO, [OrderOffer(order_offer_id="4002", status="active", next_charge_at=planned)]) is None
    )
    assert dunning.next_attempt(YES, [offer]) is None
