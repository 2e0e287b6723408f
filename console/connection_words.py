"""A connection's settings in people's words: how they are, and what is another before and after a change."""

from collections.abc import Mapping
from typing import Any

from vrio_klaviyo.store.accounts import account_of
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.vrio.routes import BEYOND, METRICS

# A setting, and what people call it; the order is the page's.
WORDS = {
    "name": "Connection name",
    "push_events": "Push events",
    "campaigns": "Campaigns",
    "metrics": "Events that are sent",
    "values": "Amounts and counts",
    "phone": "Phone number",
    "one_time_as_placed_order": "One-time orders as Placed Order, too",
    "additional_properties": "Additional properties",
    "test_orders": "Test orders",
    "rate_per_minute": "At most so many requests a minute",
}
VALUES = {"strings": "As text, as on the published page: “29.99”", "typed": "As numbers: 29.99"}
PHONES = {
    "both": "In Klaviyo’s own field and as the property $phone_number",
    "attribute": "In Klaviyo’s own field only",
    "property": "As the property $phone_number only",
}


def settings_now(session: Session, connection: Connection) -> dict[str, Any]:
    """The settings as they are, in the words of the form."""
    metrics = [name for name in METRICS if name not in connection.metrics_off]
    found: dict[str, Any] = {
        "name": connection.name,
        "push_events": connection.push_events,
        "campaigns": list(connection.campaigns),
        "metrics": metrics + [name for name in BEYOND if name in connection.metrics_on],
        "values": "typed" if connection.typed else "strings",
        "phone": connection.phone_placement,
        "one_time_as_placed_order": connection.one_time_as_placed_order,
        "additional_properties": connection.additional_properties,
        "test_orders": connection.test_orders,
        "rate_per_minute": account_of(session, connection).rate_per_minute,
    }
    return {name: found[name] for name in WORDS}


def differences(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What would be another: its name for people, how it is, and how it is wanted."""
    return [
        (WORDS[name], in_words(name, before[name]), in_words(name, wanted[name]))
        for name in WORDS
        if name in wanted and _comparable(before[name]) != _comparable(wanted[name])
    ]


def in_words(name: str, value: Any, campaigns: Mapping[str, str] | None = None) -> str:
    """How a setting is, for people."""
    match name, value:
        case "campaigns", []:
            return "All campaigns"
        case "campaigns", _:
            return ", ".join(f"{one} {(campaigns or {}).get(one, '')}".strip() for one in value)
        case "metrics", []:
            return "None"
        case "metrics", _:
            return ", ".join(value)
        case "values", _:
            return VALUES.get(value, str(value))
        case "phone", _:
            return PHONES.get(value, str(value))
        case "rate_per_minute", None:
            return "As many as Klaviyo takes"
        case _, bool():
            return "Yes" if value else "No"
    return str(value)


def _comparable(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value
