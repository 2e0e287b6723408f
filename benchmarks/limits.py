"""Klaviyo's limits: how close to them the lane goes, and that it never goes beyond."""

import time
from collections.abc import Iterator
from itertools import count, islice

from benchmarks.draining import all_arrived_once
from benchmarks.house import Ground, House
from benchmarks.report import Report
from benchmarks.sizes import Size
from tests.bodies import event
from vrio_klaviyo.store import figures
from vrio_klaviyo.store.inbound import list_inbound
from vrio_klaviyo.store.opening import Opening, open_delivery
from workers.tools import utc_now

TITLE = "Klaviyo's limits"
NOTES = (
    "The sandbox limits as Klaviyo does: 350 single events a second and 3,500 a minute, 10 bulk jobs a second and 150 "
    "a minute, for one account. Calm: events come as they go, so that few wait; half-way another worker takes over."
)
A_MINUTE = 3_500
# Fewer than make a rush, and never none.
WAITING = 600


def measure(ground: Ground, size: Size) -> Report:
    """The time of many events against the least that they could take."""
    report = Report("limits", TITLE, NOTES)
    least_s = size.limited_calm / A_MINUTE * 60
    took, late = _calm(ground, size.limited_calm)
    report.add(
        f"calm: {size.limited_calm:,} single events", f"{took:.0f} s",
        f"at {A_MINUTE:,} a minute {least_s:.0f} s, ratio {took / least_s:.2f}; {late} answers 429",
        "at most 1.08, no 429", took <= 1.08 * least_s and not late,
    )  # fmt: skip
    least_s = size.limited_rush / A_MINUTE * 60
    took, late = _rush(ground, size.limited_rush)
    report.add(
        f"rush: {size.limited_rush:,} events at once", f"{took:.1f} s",
        f"singly at least {least_s:.0f} s, {least_s / took:.0f} × faster; {late} answers 429",
        "at least 20 ×, no 429", took * 20 <= least_s and not late,
    )  # fmt: skip
    return report


def _calm(ground: Ground, number: int) -> tuple[float, int]:
    """The seconds that so many events took, and the refusals; two workers shared them."""
    with ground.house(rate_limits=True) as house:
        house.start("clock")
        house.start_workers(1)
        owed = _openings(house)
        began, opened, second = time.perf_counter(), 0, False
        while opened < number:
            few = min(WAITING - _waiting(house), number - opened)
            if few > 0:
                opened += _open(house, list(islice(owed, few)))
            if not second and opened >= number / 2:
                house.stop("worker 0")
                house.start_workers(1, first=1)
                second = True
            time.sleep(0.2)
        house.wait_until_drained()
        took = time.perf_counter() - began
        return took, _refusals(house, number)


def _rush(ground: Ground, number: int) -> tuple[float, int]:
    with ground.house(rate_limits=True) as house:
        house.start("clock")
        house.start_workers(1)
        with house.frozen():
            _open(house, list(islice(_openings(house), number)))
        began = time.perf_counter()
        house.bells.ring("lane", house.connection.account_id)
        house.wait_until_drained()
        return time.perf_counter() - began, _refusals(house, number)


def _refusals(house: House, number: int) -> int:
    """How many answers were 429; fails when not all events arrived once."""
    assert all_arrived_once(house) == number
    return house.klaviyo.refusals()


def _waiting(house: House) -> int:
    with house.db.read() as session:
        return sum(figures.owed(session).values())


def _openings(house: House) -> Iterator[Opening]:
    """Events without end, each of another customer, all from one webhook of which nothing else follows."""
    house.receive([b'{"webhook_type": "benchmark", "webhook_event": "benchmark"}'])
    with house.db.read() as session:
        (arrived,) = list_inbound(session, limit=1)
    for number in count(1):
        yield Opening(
            connection_id=house.connection.id,
            source_id=house.source.id,
            customer_id=None,
            inbound_event_id=arrived.id,
            request=event(str(number), email=f"customer{number}@acme.test", time=utc_now()),
            as_of=utc_now(),
            skip_reason=None,
            notes=(),
        )


def _open(house: House, openings: list[Opening]) -> int:
    with house.db.write() as session:
        for opening in openings:
            assert open_delivery(session, opening, utc_now())
    house.bells.ring("lane", house.connection.account_id)
    return len(openings)
