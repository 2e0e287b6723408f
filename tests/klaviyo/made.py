"""What a webhook comes to by itself, and every way in which that can be written."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from itertools import product

from tests.klaviyo.judges import SENT_AT
from vrio_klaviyo.klaviyo.requests import EventRequest, Known, ProfileRequest, Rendered, Request, Style, render
from vrio_klaviyo.vrio import routes
from vrio_klaviyo.vrio.completing import SourceDefaults, with_defaults
from vrio_klaviyo.vrio.schemas import load

PLACEMENTS = ("both", "attribute", "property")
STYLES = [
    Style(typed=typed, phone_placement=place, additional=typed) for typed in (False, True) for place in PLACEMENTS
]


def requests_of(body: bytes) -> list[Request]:
    """What a webhook comes to by itself, with nothing remembered."""
    webhook = load(body)
    if webhook.record is None:
        return []
    record, _ = with_defaults(webhook.record, SourceDefaults(zone=UTC), webhook.event_at or SENT_AT)
    return routes.requests_for(webhook.event, record)


def renderings(request: Request) -> Iterator[tuple[str, Rendered]]:
    """Every way in which a request can be written, with the name of the way."""
    profile = request.profile
    pictures = [profile]
    if not profile.unset:
        left = {name: value for name, value in profile.properties.items() if name != "NextChargeDate"}
        pictures.append(replace(profile, properties=left, unset=("NextChargeDate",)))
    knowns = [Known(), Known(overtaken=True)]
    if profile.phone:
        knowns += [replace(known, refused_phone=profile.phone) for known in knowns]
    for style, known, picture in product(STYLES, knowns, pictures):
        ways = {"profile": render(ProfileRequest(profile=picture), style, known)}
        if isinstance(request, EventRequest):
            ways[request.metric] = render(replace(request, profile=picture), style, known)
        for what, sent in ways.items():
            yield f"{what}: {style} {known} unset={picture.unset}", sent
