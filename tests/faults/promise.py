"""
The one assertion of all fault tests.

What was acknowledged is in Klaviyo, once, or to be seen as waiting, retrying, held, failed or skipped, with a reason;
and nothing else is in Klaviyo.
"""

import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import requests
from sqlalchemy import func, select

from tests.faults.vrio import Event, Vrio, events_of, profile, profile_of
from tests.product import PATIENCE_S
from vrio_klaviyo.klaviyo.requests import loads
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.inbound import InboundEvent

LOOK_AGAIN_S = 0.1
KEPT = ("events", "profiles")
# How many complaints a failure prints of each kind.
MOST_TOLD = 10

State = tuple[str, str]


@dataclass(frozen=True)
class Found:
    """
    What is there to be seen.

    Shape:  held counts what Klaviyo holds, events and profiles; inbound and deliveries have a status and a reason, by
            number and by event.
    """

    held: Counter[Event]
    inbound: dict[int, State]
    deliveries: dict[Event, list[State]]


def look(db: Database, klaviyo_url: str) -> Found:
    """Read all of it: first what we say, then what Klaviyo holds, which only grows."""
    deliveries: dict[Event, list[State]] = {}
    with db.read() as session:
        received = select(InboundEvent.event_id, InboundEvent.status, InboundEvent.reason)
        inbound = {int(row.event_id) - 70_000: (row.status, row.reason) for row in session.execute(received)}
        opened = select(Delivery.metric, Delivery.unique_id, Delivery.request, Delivery.status, Delivery.reason)
        for metric, unique_id, request, status, reason in session.execute(opened):
            event = (metric, unique_id) if metric else _profile_in(request)
            deliveries.setdefault(event, []).append((status, reason))
    events, profiles = (requests.get(f"{klaviyo_url}/sandbox/{what}", timeout=60).json() for what in KEPT)
    held = Counter((event["metric"], event["unique_id"]) for event in events)
    return Found(held + Counter(profile(one["attributes"]) for one in profiles), inbound, deliveries)


def _profile_in(request: bytes) -> Event:
    told = loads(request).profile
    return profile({"email": told.email, "first_name": told.first_name})


def broken_promises(vrio: Vrio, found: Found) -> list[str]:
    """One sentence for each way in which what is found is not what was promised."""
    numbers = vrio.acknowledged | vrio.doubtful
    asked = (
        vrio.owed | vrio.people | {event for number in numbers for event in {profile_of(number), *events_of(number)}}
    )
    complaints = [f"Klaviyo holds {event} {times} times" for event, times in found.held.items() if times > 1]
    complaints += [f"Klaviyo holds {event}, which nobody posted" for event in found.held.keys() - asked]
    for event, states in found.deliveries.items():
        if ("accepted", "") in states and event not in found.held:
            complaints.append(f"{event} is said to be accepted, and Klaviyo does not hold it")
    for number in sorted(vrio.acknowledged):
        for event in sorted(events_of(number)):
            if event not in found.held and not _is_seen(number, event, found):
                told = _told(number, event, found)
                complaints.append(f"webhook {number} was acknowledged, and {event} is lost: {told}")
            if event in found.held and event not in found.deliveries:
                complaints.append(f"Klaviyo holds {event}, and no delivery tells of it")
    for event in sorted(vrio.owed - found.held.keys()):
        if not _is_seen(0, event, found):
            complaints.append(f"{event} was owed, and is lost: {_told(0, event, found)}")
    return complaints


def _is_seen(number: int, event: Event, found: Found) -> bool:
    """Whether somebody who looks for this event learns where it is, and why."""
    states = found.deliveries.get(event)
    if states is None:
        status, reason = found.inbound.get(number, ("", ""))
        return status == "received" or bool(status in ("waiting", "failed") and reason)
    # What is queued is about to go, and needs no reason.
    return all(status == "queued" or (status != "accepted" and reason) for status, reason in states)


def _told(number: int, event: Event, found: Found) -> str:
    return f"webhook {found.inbound.get(number)}, deliveries {found.deliveries.get(event)}"


def under_way(db: Database, still: Collection[str] = ()) -> dict[str, int]:
    """How much of what has not come to its end there is, by how it stands; what may stand still is left out."""
    with db.read() as session:
        counts = dict(session.execute(select(InboundEvent.status, func.count()).group_by(InboundEvent.status)).all())
        for status, number in session.execute(select(Delivery.status, func.count()).group_by(Delivery.status)):
            counts[status] = counts.get(status, 0) + number
    final = {"processed", "accepted", *still}
    return {status: number for status, number in counts.items() if status not in final}


def keeps_its_promise(
    vrio: Vrio, db: Database, klaviyo_url: str, *, still: Collection[str] = (), seconds: float = PATIENCE_S
) -> None:
    """
    Fails unless everything comes to its end in time, and the promise is kept then.

    Shape:  `still` names the states, beside accepted, in which something may be left.
    """
    ends = time.monotonic() + seconds
    while (left := under_way(db, still)) and time.monotonic() < ends:
        time.sleep(LOOK_AGAIN_S)
    found = look(db, klaviyo_url)
    complaints = broken_promises(vrio, found)
    if left:
        late = [f"{event}: {states}" for event, states in found.deliveries.items() if {s for s, _ in states} & {*left}]
        late += [f"webhook {number}: {state}" for number, state in found.inbound.items() if state[0] in left]
        complaints = [f"after {seconds:g} s this is not at its end: {left}", *late[:MOST_TOLD], *complaints]
    told = f"{len(vrio.acknowledged)} acknowledged, {len(vrio.doubtful)} doubtful, {found.held.total()} held"
    assert not complaints, "\n".join([told, f"{len(complaints)} complaints:", *complaints[: 2 * MOST_TOLD]])
