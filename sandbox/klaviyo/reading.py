"""
The answers of the reading endpoints: resources as JSON:API, filtered and cut into pages.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from sandbox.klaviyo.problems import Problem, Refused
from sandbox.klaviyo.profiles import Profile
from sandbox.klaviyo.state import AccountStore, Event

_EQUALS = re.compile(r"""equals\((\w+),\s*(["'])(.*)\2\)""", re.DOTALL)
_SPARSE = re.compile(r"fields\[[a-z-]+\]")
_STANDARD = (
    "email",
    "phone_number",
    "external_id",
    "first_name",
    "last_name",
    "organization",
    "locale",
    "title",
    "image",
)
_LOCATION = ("address1", "address2", "city", "country", "region", "zip", "timezone", "ip", "latitude", "longitude")


def account_resource(store: AccountStore, base: str) -> dict[str, Any]:
    account = store.account
    return {
        "type": "account",
        "id": account.id,
        "attributes": {
            "test_account": True,
            "contact_information": {
                "default_sender_name": account.name,
                "default_sender_email": "hello@example.com",
                "website_url": "https://example.com",
                "organization_name": account.name,
                "street_address": {
                    "address1": "89 E 42nd St",
                    "address2": None,
                    "city": "New York",
                    "region": "NY",
                    "country": "US",
                    "zip": "10017",
                },
            },
            "industry": "Ecommerce, Health & Beauty",
            "timezone": account.time_zone,
            "preferred_currency": account.currency,
            "public_api_key": account.id,
            "locale": "en-US",
        },
        "links": {"self": f"{base}/api/accounts/{account.id}"},
    }


def list_resources(store: AccountStore, base: str) -> list[dict[str, Any]]:
    return [
        {
            "type": "list",
            "id": f"{store.account.id[:4]}L{number}",
            "attributes": {
                "name": name,
                "created": "2026-01-01T00:00:00+00:00",
                "updated": "2026-01-01T00:00:00+00:00",
                "opt_in_process": "single_opt_in",
            },
            "links": {"self": f"{base}/api/lists/{store.account.id[:4]}L{number}"},
        }
        for number, name in enumerate(store.account.lists, start=1)
    ]


def profile_resource(profile: Profile, base: str) -> dict[str, Any]:
    attributes = profile.attributes
    return {
        "type": "profile",
        "id": profile.id,
        "attributes": {
            **{name: attributes.get(name) for name in _STANDARD},
            "created": profile.created_at.isoformat(timespec="seconds"),
            "updated": profile.updated_at.isoformat(timespec="seconds"),
            "location": {name: attributes.get("location", {}).get(name) for name in _LOCATION},
            "properties": attributes.get("properties", {}),
        },
        "links": {"self": f"{base}/api/profiles/{profile.id}"},
    }


def event_resource(store: AccountStore, event: Event, base: str) -> dict[str, Any]:
    # Klaviyo: 0, null and "" count as not set in an event; unique_id and value are shown as $event_id and $value.
    kept = {
        name: value
        for name, value in event.attributes["properties"].items()
        if not (value is None or value == "" or (value == 0 and value is not False))
    }
    stored = {"$event_id": event.unique_id, "$value": event.attributes.get("value")}
    return {
        "type": "event",
        "id": event.id,
        "attributes": {
            "timestamp": int(event.time.timestamp()),
            "event_properties": kept | {name: value for name, value in stored.items() if value is not None},
            "datetime": event.time.isoformat(sep=" "),
            "uuid": event.id,
        },
        "relationships": {
            "profile": {"data": {"type": "profile", "id": event.profile.id}},
            "metric": {"data": {"type": "metric", "id": store.metric_id(event.metric)}},
        },
        "links": {"self": f"{base}/api/events/{event.id}"},
    }


def page(
    resources: Iterable[dict[str, Any]],
    query: Mapping[str, str],
    url: str,
    sizes: tuple[int, int],
    filters: Mapping[str, str],
) -> dict[str, Any]:
    """
    One page of resources, with the link to the next.

    Shape:  `sizes` are the default and the largest page; `filters` maps a filter's field to its place in the resource,
            written with dots.
    Raises: Refused 400 with `source.parameter` for what the sandbox does not know.
    """
    for name in query:
        if name not in ("page[size]", "page[cursor]", "filter") and not _SPARSE.fullmatch(name):
            raise _bad_parameter(name, f"'{name}' is not a parameter that this sandbox plays.")
    size = query.get("page[size]", str(sizes[0]))
    if not re.fullmatch(r"[0-9]{1,6}", size) or not 1 <= int(size) <= sizes[1]:
        raise _bad_parameter("page[size]", f"Page size must be an integer between 1 and {sizes[1]}.")
    start = _start(query.get("page[cursor]"))
    found = [item for item in resources if _matches(item, query.get("filter"), filters)]
    end = start + int(size)
    cursor = base64.urlsafe_b64encode(f"next:{end}".encode()).decode()
    following = f"{url}?{urlencode({**query, 'page[cursor]': cursor})}" if end < len(found) else None
    own = f"{url}?{urlencode(dict(query))}" if query else url
    data = [_with_fields(item, query.get(f"fields[{item['type']}]")) for item in found[start:end]]
    return {"data": data, "links": {"self": own, "next": following, "prev": None}}


def _with_fields(item: dict[str, Any], wanted: str | None) -> dict[str, Any]:
    """The resource with the attributes that were asked for; with all of them when nobody chose."""
    if wanted is None:
        return item
    chosen = wanted.split(",")
    return item | {"attributes": {name: value for name, value in item["attributes"].items() if name in chosen}}


def _matches(item: dict[str, Any], wanted: str | None, filters: Mapping[str, str]) -> bool:
    if wanted is None:
        return True
    parsed = _EQUALS.fullmatch(wanted)
    if not parsed or parsed[1] not in filters:
        raise _bad_parameter("filter", f"Invalid filter provided. This sandbox plays equals() of {', '.join(filters)}.")
    value: Any = item
    for step in filters[parsed[1]].split("."):
        value = value[step]
    if parsed[1] == "email":
        return str(value).lower() == parsed[3].lower()
    return bool(value == parsed[3])


def _start(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("next:"))
    except ValueError:
        raise _bad_parameter("page[cursor]", "Invalid cursor.") from None


def _bad_parameter(name: str, detail: str) -> Refused:
    return Refused(400, [Problem("invalid", detail, parameter=name)])
