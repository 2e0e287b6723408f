"""Latency: from a webhook's arrival to Klaviyo's answer, when nothing else is to be done."""

import time
from statistics import quantiles

from sqlalchemy import func, select

from benchmarks.house import Ground, House
from benchmarks.load import pour
from benchmarks.report import Report
from benchmarks.sizes import Size
from benchmarks.webhooks import SALE, sales
from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.inbound import InboundEvent

TITLE = "Latency"
NOTES = "One sale after the other, each when the one before is done with; the last answer counts. SQLite."
KLAVIYO_MS = 50


def measure(ground: Ground, size: Size) -> Report:
    """How long a webhook is under way, and how much of that is Klaviyo's."""
    report = Report("latency", TITLE, NOTES)
    with ground.house(latency_ms=KLAVIYO_MS) as house:
        house.start("web", "clock")
        house.start_workers(1)
        pour(house.address, sales(1, -1, SALE))
        house.wait_until_drained()
        for number in range(size.idle):
            pour(house.address, sales(1, number, SALE), connections=1)
            house.wait_until_drained()
            # Not in step with the clock's sweep.
            time.sleep(0.037)
        ours_ms, whole_ms = _times(house, size.idle)
    cuts = quantiles(ours_ms, n=100, method="inclusive")
    whole = quantiles(whole_ms, n=100, method="inclusive")
    report.add(
        "received → accepted, without Klaviyo's own time: p99", f"{cuts[98]:.0f} ms",
        f"p50 {cuts[49]:.0f} ms", "under 250 ms", cuts[98] < 250,
    )  # fmt: skip
    report.add(f"with it ({KLAVIYO_MS} ms an answer): p99", f"{whole[98]:.0f} ms", f"p50 {whole[49]:.0f} ms")
    return report


def _times(house: House, count: int) -> tuple[list[float], list[float]]:
    """Of each webhook the milliseconds until its last answer: ours, and all."""
    query = (
        select(InboundEvent.received_at, func.max(Delivery.finished_at), func.sum(Attempt.duration_ms))
        .join(Delivery, Delivery.inbound_event_id == InboundEvent.id)
        .join(Attempt, Attempt.delivery_id == Delivery.id)
        .where(Delivery.status == "accepted")
        .group_by(InboundEvent.id, InboundEvent.received_at)
        .order_by(InboundEvent.id)
    )
    ours, whole = [], []
    with house.db.read() as session:
        rows = session.execute(query).all()[1:]
    assert len(rows) == count, len(rows)
    for received_at, accepted_at, klaviyo_ms in rows:
        assert accepted_at is not None
        assert klaviyo_ms is not None
        took_ms = (accepted_at - received_at).total_seconds() * 1000
        whole.append(took_ms)
        # A customer's requests go out one after the other.
        ours.append(took_ms - klaviyo_ms)
    return ours, whole
