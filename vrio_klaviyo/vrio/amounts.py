"""
Vrio's counts, amounts and dates, one field each.
"""

import re
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from marshmallow import missing

from vrio_klaviyo.vrio.fields import Unreadable, VrioField, as_text

# The zone of dates that name none; `schemas.load` sets it to that of the source.
ZONE: ContextVar[tzinfo] = ContextVar("zone", default=UTC)

_WHOLE = re.compile(r"[-+]?\d{1,9}(?:\.0*)?", re.ASCII)
_AMOUNT = re.compile(r"[-+]?[$€£]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)", re.ASCII)
_NO_DECORATION = str.maketrans("", "", "$€£,")
_LONGEST_AMOUNT = 40
_MOST_DIGITS = 20


class Count(VrioField):
    """A whole number of at most nine digits."""

    def read(self, value: Any) -> int:
        text = as_text(value)
        if not _WHOLE.fullmatch(text):
            raise Unreadable("is not a whole number: left out")
        return int(text.partition(".")[0])


class Money(VrioField):
    """
    An amount, exactly as written.

    Shape:  "1,234.56" and "$29.99" are read. Size is looked at before anything is calculated: 1E1000000 is a short
            text that takes minutes to write out.
    """

    def read(self, value: Any) -> Decimal:
        if isinstance(value, str) and len(value) <= _LONGEST_AMOUNT and _AMOUNT.fullmatch(value):
            value = Decimal(value.translate(_NO_DECORATION))
        elif isinstance(value, int) and not isinstance(value, bool):
            value = Decimal(value)
        if not isinstance(value, Decimal) or not value.is_finite() or _size(value) > _MOST_DIGITS:
            raise Unreadable("is not an amount: left out")
        return abs(value) if value.is_zero() else value


class Unsigned(Money):
    """
    An amount without its sign.

    Source: our choice. Vrio: whether credits and discounts have a minus is written nowhere; what the amount is about
            says which way the money goes.
    """

    def read(self, value: Any) -> Decimal:
        return abs(super().read(value))


class Moment(VrioField):
    """
    A date and time, aware, in UTC.

    Shape:  without a zone it is in ZONE; an hour that the clocks go through twice is its first, one that they leave
            out moves forward.
    """

    def read(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise Unreadable("is not a date: left out")
        # Vrio: a date that has not come is all zeros, or what PHP makes of these.
        if value.startswith(("0000-00-00", "-0001-11-30")):
            return missing
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=ZONE.get())
            moment = moment.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise Unreadable("is not a date: left out") from error
        # A day from either end of the calendar, other zones have no such date.
        if not 1 < moment.year < 9999:
            raise Unreadable("is not a date: left out")
        return moment


def _size(amount: Decimal) -> int:
    """The larger of how many digits an amount has and how far the point is moved."""
    digits, exponent = amount.as_tuple()[1:]
    return max(len(digits), abs(int(exponent)))
