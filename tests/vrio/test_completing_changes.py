"""A change of a subscription, with what its offer and its payment know of it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.vrio.completed import AS_OF, D3, FULL, NO_ITEMS, PORTLAND, SOURCE, VITAMINS
from vrio_klaviyo.vrio.completing import SourceDefaults, with_defaults
from vrio_klaviyo.vrio.records import Customer, SubscriptionChange

PAUSE = SubscriptionChange(
    kind="paused",
    offer=replace(VITAMINS, order_id="1253", billing=PORTLAND),
    at=datetime(2025, 9, 1, 3, 0, tzinfo=UTC),
    customer=Customer(phone="(555) 123-4567"),
    transaction=FULL,
    lines=(replace(D3, discount_code="SAVE10"),),
)


def change(source: SourceDefaults = SOURCE, **changes: Any) -> tuple[SubscriptionChange, tuple[str, ...]]:
    completed, notes = with_defaults(replace(PAUSE, **changes), source, AS_OF)
    assert isinstance(completed, SubscriptionChange)
    return completed, notes


@pytest.mark.requirement("003-45", "003-46")
def test_a_change_has_what_its_offer_and_its_payment_say() -> None:
    pause, notes = change()
    assert (pause.order.order_id, pause.event_id, pause.currency) == ("1253", "1668_1_sub", "USD")
    assert (pause.discount, pause.discount_code) == (Decimal("5.00"), "SAVE10")
    assert [(line.item_id, line.offer_name, line.interval_days) for line in pause.lines] == [
        ("2", "Monthly Vitamins", 30)
    ]
    assert pause.customer.phone_e164 == "+15551234567"
    assert notes == ()


@pytest.mark.requirement("003-45")
def test_a_change_of_which_nothing_else_is_known_is_told_by_its_offer() -> None:
    pause, notes = change(transaction=None, lines=())
    assert [(line.item_id, line.item_name, line.total) for line in pause.lines] == [
        ("", "Monthly Vitamins", Decimal("29.99"))
    ]
    assert (pause.event_id, pause.discount, pause.currency) == ("order1253_1_sub", 0, "USD")
    assert notes == (NO_ITEMS,)


@pytest.mark.requirement("003-46")
@pytest.mark.parametrize(
    ("kind", "unpause_at", "until"),
    [
        ("paused", datetime(2025, 12, 1, 3, 0, tzinfo=UTC), date(2025, 11, 30)),
        ("paused", datetime(2025, 8, 20, tzinfo=UTC), None),
        ("paused", PAUSE.at, None),
        ("paused", None, None),
        ("unpaused", datetime(2025, 12, 1, 3, 0, tzinfo=UTC), None),
    ],
)
def test_a_pause_lasts_until_a_day_that_lies_ahead(kind: Any, unpause_at: datetime | None, until: date | None) -> None:
    source = SourceDefaults(zone=ZoneInfo("America/New_York"))
    pause, _ = change(source, kind=kind, offer=replace(PAUSE.offer, unpause_at=unpause_at))
    assert pause.on == date(2025, 8, 31)
    assert pause.paused_until_on == until
