"""
How often a subscription is charged, in days, from the label that Vrio has for it.

Source: the published page, "Started Subscription", whose monthly offer has the unit "days" and the frequency "30".
        Vrio: the label is free text, and no number stands beside it anywhere.
"""

import re

_UNIT_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
_LABEL_DAYS = {
    "daily": 1,
    "weekly": 7,
    "biweekly": 14,
    "fortnightly": 14,
    "monthly": 30,
    "quarterly": 90,
    "semiannually": 180,
    "yearly": 365,
    "annually": 365,
    "annual": 365,
}
_EVERY = re.compile(r"(?:every)?(\d{1,3})?(day|week|month|year)s?", re.ASCII)


def interval_days(label: str) -> int | None:
    """
    The days between two charges; None for a label that is not understood.

    Units:  days, where a month has 30 and a year 365.
    """
    word = re.sub(r"[\s-]", "", label.lower())
    if word in _LABEL_DAYS:
        return _LABEL_DAYS[word]
    every = _EVERY.fullmatch(word)
    return int(every[1] or 1) * _UNIT_DAYS[every[2]] or None if every else None


def label_of(days: int) -> str:
    """A label that is understood as so many days, of which there are at most 999."""
    return f"Every {days} days"
