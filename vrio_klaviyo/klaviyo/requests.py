"""
What we ask of Klaviyo: neutral requests, how they are kept, and how they become bytes.

A neutral request knows no connection and no setting. `render` adds both, and what is known of the customer by then.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, assert_never

# Klaviyo: a request that names no revision, or a retired one, is served by another without a word.
REVISION = "2026-07-15"

Kind = Literal["event", "profile"]
PATHS: dict[str, str] = {"event": "/api/events", "profile": "/api/profile-import"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """
    Who it is about.

    Shape:  an empty name is left out of the body: Klaviyo keeps what it has. `unset` names properties to remove.
    Units:  phone is E.164, or None.
    """

    email: str
    first_name: str = ""
    last_name: str = ""
    phone: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    unset: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRequest:
    """
    One event on one profile's timeline.

    Shape:  properties as the published page prints them; amounts and counts as Decimal and int, `render` decides how
            they are written. additional are those that a connection may have beside the page's own, and never instead.
    Units:  value in major units of `currency` (ISO 4217); time is aware.
    """

    metric: str
    unique_id: str
    time: datetime
    profile: Profile
    properties: Mapping[str, Any]
    value: Decimal | None = None
    currency: str | None = None
    additional: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfileRequest:
    """Create or update one profile; no event."""

    profile: Profile


Request = EventRequest | ProfileRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """
    A connection's say in how its bodies are written.

    Shape:  phone_placement is both, attribute (Klaviyo's own field) or property (the page's $phone_number).
    """

    typed: bool = False
    phone_placement: str = "both"
    additional: bool = False
    revision: str = REVISION


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """
    What is known of this customer at this Klaviyo account when the body is made.

    refused_phone:  the number that Klaviyo refused last; the same number is not sent again.
    overtaken:      a newer picture of the customer was accepted already: send the identity only.
    backfill:       it is history by now: to be recorded, and to start no flow.
    """

    refused_phone: str | None = None
    overtaken: bool = False
    backfill: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendered:
    """One HTTP request, but for the key."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    phone: str | None


def render(request: Request, style: Style, known: Known) -> Rendered:
    """
    The bytes for one request.

    Shape:  JSON:API; Klaviyo refuses members it does not know, so nothing else is in it.
    Source: Klaviyo API 2026-07-15, Create Event and Create or Update Profile.
    """
    profile = as_known(request.profile, known)
    match request:
        case EventRequest():
            data = _event(request, profile, style, known)
        case ProfileRequest():
            data = _profile_import(profile, style)
        case _:
            assert_never(request)
    body = compact({"data": data}).encode()
    path = PATHS[kind_of(request)]
    return Rendered(method="POST", path=path, headers=headers(style), body=body, phone=profile.phone)


def headers(style: Style) -> dict[str, str]:
    """The headers of a request with a body, but for the key."""
    return {
        "accept": "application/vnd.api+json",
        "content-type": "application/vnd.api+json",
        "revision": style.revision,
    }


def compact(document: Any) -> str:
    """JSON without blanks."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def as_known(profile: Profile, known: Known) -> Profile:
    """The profile without what must not be sent any more."""
    phone = None if profile.phone == known.refused_phone else profile.phone
    if known.overtaken:
        return Profile(email=profile.email)
    return replace(profile, phone=phone)


def _event(request: EventRequest, profile: Profile, style: Style, known: Known) -> dict[str, Any]:
    # Klaviyo: `meta` stands inside the attributes here, and beside them everywhere else.
    person = {"type": "profile", "attributes": profile_attributes(profile, style) | profile_meta(profile)}
    return {"type": "event", "attributes": event_attributes(request, style, known) | {"profile": {"data": person}}}


def event_attributes(request: EventRequest, style: Style, known: Known) -> dict[str, Any]:
    """An event's own attributes, which are the same in a bulk job; those of its profile are not among them."""
    attributes: dict[str, Any] = {
        "unique_id": request.unique_id,
        "time": request.time.astimezone(UTC).isoformat(timespec="seconds"),
        "properties": written(_with_additional(request, style), style),
        "metric": {"data": {"type": "metric", "attributes": {"name": request.metric}}},
    }
    if request.value is not None:
        # Klaviyo: `value` must be a JSON number; "29.99" is refused.
        attributes |= {"value": number(request.value), "value_currency": request.currency}
    if known.backfill:
        attributes["backfill"] = True
    return attributes


def _with_additional(request: EventRequest, style: Style) -> Mapping[str, Any]:
    if not style.additional:
        return request.properties
    own = request.properties
    return {**own, **{name: value for name, value in request.additional.items() if name not in own}}


def _profile_import(profile: Profile, style: Style) -> dict[str, Any]:
    return {"type": "profile", "attributes": profile_attributes(profile, style)} | profile_meta(profile)


def profile_attributes(profile: Profile, style: Style) -> dict[str, Any]:
    """A profile's attributes, without what is empty."""
    as_attribute, as_property = style.phone_placement != "property", style.phone_placement != "attribute"
    named = {
        "email": profile.email,
        "first_name": profile.first_name,
        "last_name": profile.last_name,
        "phone_number": profile.phone if as_attribute else None,
    }
    properties = written(profile.properties, style)
    if profile.phone and as_property:
        properties["$phone_number"] = profile.phone
    # Klaviyo: null clears an attribute, an absent one is left alone.
    return {name: text for name, text in named.items() if text} | {"properties": properties}


def profile_meta(profile: Profile) -> dict[str, Any]:
    """Which properties to remove, if any."""
    return {"meta": {"patch_properties": {"unset": list(profile.unset)}}} if profile.unset else {}


def written(value: Any, style: Style) -> Any:
    """
    A property value as JSON has it.

    Shape:  by default as on the published page, where every amount and count is a string: 29.99 is "29.99", 1 is "1";
            with `style.typed` they are numbers. True and False stay themselves.
    """
    match value:
        case bool() | str() | None:
            return value
        case Decimal():
            return number(value) if style.typed else money(value)
        case int():
            return value if style.typed else str(value)
        case Mapping():
            return {name: written(part, style) for name, part in value.items()}
        case list() | tuple():
            return [written(part, style) for part in value]
    raise TypeError(f"{type(value).__name__} cannot be a property")


def money(amount: Decimal) -> str:
    """An amount as text with at least two decimals; further ones are kept, never rounded away."""
    exponent = amount.normalize().as_tuple().exponent
    places = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{amount:.{places}f}"


def number(amount: Decimal) -> float | int:
    """An amount as JSON's number, written with the digits that it has."""
    # Klaviyo: integers have 64 bits.
    is_integer = abs(amount) < 2**63 and amount == amount.to_integral_value()
    return int(amount) if is_integer else float(amount)


def kind_of(request: Request) -> Kind:
    """What sort of delivery this request becomes."""
    return "event" if isinstance(request, EventRequest) else "profile"


def dumps(request: Request) -> bytes:
    """
    A neutral request as kept on a delivery's row.

    Shape:  JSON; a Decimal is {"$decimal": "29.99"}, so that it comes back as it was.
    """
    profile = {name: getattr(request.profile, name) for name in Profile.__slots__}
    kept: dict[str, Any] = {"kind": kind_of(request), "profile": profile}
    if isinstance(request, EventRequest):
        kept |= {name: getattr(request, name) for name in EventRequest.__slots__ if name != "profile"}
        kept["time"] = request.time.isoformat()
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


def loads(kept: bytes) -> Request:
    """The request that `dumps` wrote."""
    fields = json.loads(kept, object_hook=_decimal)
    kind, profile = fields.pop("kind"), fields.pop("profile")
    profile["unset"] = tuple(profile["unset"])
    if kind == "profile":
        return ProfileRequest(profile=Profile(**profile))
    return EventRequest(profile=Profile(**profile), **fields | {"time": datetime.fromisoformat(fields["time"])})


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be kept")


def _decimal(fields: dict[str, Any]) -> Any:
    return Decimal(fields["$decimal"]) if fields.keys() == {"$decimal"} else fields
