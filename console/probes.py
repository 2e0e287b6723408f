"""What machines ask: does the process live, can it work, how much is there of everything."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from flask import Blueprint, Response, jsonify
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from vrio_klaviyo.store import leases
from vrio_klaviyo.store.db import Database, DatabaseError, head
from vrio_klaviyo.traffic import under_way
from workers.bells import Bells


def blueprint(db: Database, bells: Bells, now: Callable[[], datetime]) -> Blueprint:
    """`/healthz`, `/readyz` and `/metrics`."""
    routes = Blueprint("probes", __name__)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(db, now))

    @routes.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @routes.get("/readyz")
    def readyz() -> tuple[Response, int]:
        try:
            revision = db.revision()
            if revision != head():
                return jsonify(status="not ready", reason="migrations", at=revision, needed=head()), 503
            with db.read() as session:
                workers = leases.alive(session, "worker/", now())
                clock = leases.alive(session, "clock", now())
        except DatabaseError:
            return jsonify(status="not ready", reason="database"), 503
        parts = {"redis": bells.answers(), "worker": workers > 0, "clock": clock > 0}
        degraded = [name for name, works in parts.items() if not works]
        return jsonify(status="degraded" if degraded else "ok", degraded=degraded, workers=workers), 200

    @routes.get("/metrics")
    def metrics() -> Response | tuple[Response, int]:
        try:
            return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
        except DatabaseError:
            return Response("# the database does not answer\n", content_type=CONTENT_TYPE_PLAIN_0_0_4), 503

    return routes


class _Figures:
    """Counts read from the database when they are asked for: web, workers and clock are several processes."""

    def __init__(self, db: Database, now: Callable[[], datetime]) -> None:
        self._db = db
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = self._now()
        with self._db.read() as session:
            traffic = under_way(session, now)
            workers, clocks = (leases.alive(session, name, now) for name in ("worker/", "clock"))
        yield _gauge("vk_deliveries", "Deliveries not at their end, by status.", "status", traffic.waiting)
        unread = {"received": traffic.unread, "waiting": traffic.looked_for, "failed": traffic.set_aside}
        yield _gauge("vk_inbound_events", "Inbound events not worked off, by status.", "status", unread)
        since = {"inbound_events": traffic.oldest_unread, "deliveries": traffic.oldest_waiting}
        ages = {name: (now - at).total_seconds() if at else 0 for name, at in since.items()}
        yield _gauge("vk_queue_oldest_seconds", "How long the oldest that is to be done waits.", "of", ages)
        yield GaugeMetricFamily("vk_workers", "Workers that show that they live.", value=workers)
        yield GaugeMetricFamily("vk_clocks", "Clocks that show that they live.", value=clocks)
        if traffic.last_received is not None:
            age = (now - traffic.last_received).total_seconds()
            yield GaugeMetricFamily("vk_last_webhook_seconds", "How long ago the last webhook came.", value=age)
        if traffic.accepted_share is not None:
            about = "Of what ended in the last hour, the part that Klaviyo accepted."
            yield GaugeMetricFamily("vk_accepted_ratio", about, value=traffic.accepted_share)
        about = "Attempts of the last hour that Klaviyo asked to wait with."
        yield GaugeMetricFamily("vk_throttled", about, value=traffic.throttled)
        states = GaugeMetricFamily("vk_connection_state", "How each connection stands.", labels=["connection", "state"])
        for connection_id, status in traffic.connections.items():
            states.add_metric([connection_id, status], 1)
        yield states


def _gauge(name: str, about: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, about, labels=[label])
    for labelled, value in values.items():
        gauge.add_metric([labelled], value)
    return gauge
