"""How values look on a page: times, money, numbers, people. Each is a filter in every template."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import UnknownCurrencyError, format_currency, format_decimal, validate_currency
from flask import Flask
from markupsafe import Markup

from console import personal
from console.pages import guard

LOCALE = "en_US"

# Icon, word and tone of every state that something of ours can be in; the tone is a class of console.css.
BADGES = {
    # Deliveries.
    "queued": ("○", "Waiting", "calm"),
    "retrying": ("↻", "Retry", "warn"),
    "held": ("❚❚", "Held", "warn"),
    "accepted": ("✓", "Accepted", "good"),
    "failed": ("✕", "Failed", "bad"),
    "skipped": ("–", "Not sent", "calm"),
    # Inbound events.
    "received": ("○", "Received", "calm"),
    "waiting": ("○", "Waiting", "calm"),
    "processed": ("✓", "Processed", "good"),
    "ignored": ("–", "Ignored", "calm"),
    "unknown": ("?", "Unknown event", "warn"),
    "unreadable": ("✕", "Unreadable", "bad"),
    # Connections and keys.
    "active": ("✓", "Active", "good"),
    "paused": ("❚❚", "Paused", "calm"),
    "archived": ("–", "Archived", "calm"),
    "key_rejected": ("!", "Key rejected", "bad"),
    "rejected": ("✕", "Rejected", "bad"),
    "unchecked": ("?", "Not checked", "warn"),
    # Replays.
    "running": ("↻", "Running", "warn"),
    "stopping": ("↻", "Stopping", "warn"),
    "stopped": ("■", "Stopped", "calm"),
    "done": ("✓", "Finished", "good"),
    # Anything that works or does not.
    "ok": ("✓", "OK", "good"),
    "warning": ("!", "Worth a look", "warn"),
    "fault": ("✕", "At fault", "bad"),
    "disabled": ("–", "Disabled", "calm"),
}


def register(app: Flask, now: Callable[[], datetime]) -> None:
    """Make the filters known to every template."""

    def age(at: datetime | None) -> str:
        return "" if at is None else ago((now() - at).total_seconds())

    def moment(at: datetime | None, style: str = "") -> Markup:
        return time_tag(at, now(), style)

    app.jinja_env.globals["now"] = now
    app.jinja_env.globals["BADGES"] = BADGES
    app.jinja_env.filters.update(
        moment=moment,
        age=age,
        exact=exact,
        money=money,
        number=number,
        email=_unless_allowed(personal.masked_email),
        phone=_unless_allowed(personal.masked_phone),
        person=_unless_allowed(personal.masked),
    )


def exact(at: datetime) -> str:
    """A time as RFC 3339, in UTC, with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_tag(at: datetime | None, now: datetime, style: str = "") -> Markup:
    """
    A time in the visitor's zone; the exact one stands in `datetime` and shows on hover.

    Shape:  style "" is short (the hour alone when it was today), "full" has date, seconds and zone, "date" the day.
    """
    if at is None:
        return Markup("—")
    there = _zone()
    local, today = at.astimezone(there), now.astimezone(there)
    if style == "full":
        text = f"{format_datetime(local, 'd MMM y HH:mm:ss', locale=LOCALE)} {zone_name(at)}"
    elif style == "date":
        text = format_datetime(local, "d MMM y", locale=LOCALE)
    elif local.date() == today.date():
        text = format_datetime(local, "HH:mm:ss", locale=LOCALE)
    else:
        pattern = "d MMM HH:mm" if local.year == today.year else "d MMM y HH:mm"
        text = format_datetime(local, pattern, locale=LOCALE)
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(exact(at), text)


def zone_name(at: datetime) -> str:
    """The short name of the visitor's zone at that time: EST, CEST, UTC; UTC+03 where it has none."""
    name = at.astimezone(_zone()).tzname() or "UTC"
    return f"UTC{name}" if name.startswith(("+", "-")) else name


def ago(seconds: float) -> str:
    """How long ago, in one unit: 4 s, 12 min, 2 h, 3 d."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{max(0, int(seconds))} s ago"


def money(amount: Any, currency: str = "") -> str:
    """An amount in its currency, with all of its digits; as it stands when either cannot be read."""
    try:
        validate_currency(currency.upper())
        return format_currency(Decimal(str(amount)), currency.upper(), locale=LOCALE, decimal_quantization=False)
    except (InvalidOperation, UnknownCurrencyError):
        return f"{amount} {currency}".strip()


def number(value: float | Decimal | None) -> str:
    """A count with its thousands apart."""
    return "—" if value is None else format_decimal(value, locale=LOCALE)


def _unless_allowed(mask: Callable[[str], str]) -> Callable[[str | None], str]:
    """Personal data: whole for who may see it, masked for everybody else."""

    def shown(text: str | None) -> str:
        by = guard.anybody()
        return text or "" if not text or (by is not None and by.may("support")) else mask(text)

    return shown


def _zone() -> Any:
    by = guard.anybody()
    return ZoneInfo("UTC") if by is None else by.zone
