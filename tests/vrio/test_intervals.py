"""Vrio's labels of charge intervals, in days."""

import pytest

from vrio_klaviyo.vrio.intervals import interval_days, label_of


@pytest.mark.requirement("003-44")
@pytest.mark.parametrize(
    ("label", "days"),
    [
        ("Daily", 1),
        ("Weekly", 7),
        ("Biweekly", 14),
        ("Bi-Weekly", 14),
        ("Monthly", 30),
        ("monthly", 30),
        ("Quarterly", 90),
        ("Yearly", 365),
        ("Annually", 365),
        ("Every 45 days", 45),
        ("Every 1 day", 1),
        ("Every 2 Weeks", 14),
        ("Every 3 Months", 90),
        ("Every  month", 30),
        ("30 Days", 30),
        ("90-day", 90),
        ("Every 2 Years", 730),
        ("", None),
        ("Every 0 days", None),
        ("Every blue moon", None),
        ("Every other week", None),
        ("Every 9999999 days", None),
        ("Every ３ days", None),
        ("Custom", None),
    ],
)
def test_a_label_is_days_or_nothing(label: str, days: int | None) -> None:
    assert interval_days(label) == days


@pytest.mark.parametrize("days", [1, 30, 45, 999])
def test_days_have_a_label_that_is_understood(days: int) -> None:
    assert interval_days(label_of(days)) == days
