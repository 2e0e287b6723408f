"""What machines ask: does the process live, can it work, how much is there of everything."""

from collections.abc import Callable, Iterator
from datetime import datetime

from flask import Blueprint, Response, jsonify
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from vrio_klaviyo.store import figures, leases
from vrio_klaviyo.store.db import Database, DatabaseError, head
from workers.bells import Bells


def blueprint(db: Database, bells: Bells, now: Callable[[], datetime]) -> Blueprint:
    """`/healthz`, `/readyz` and `/metrics`."""
    routes = Blueprint("probes", __name__)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(db))

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

    def __init__(self, db: Database) -> None:
        self._db = db

    def collect(self) -> Iterator[GaugeMetricFamily]:
        with self._db.read() as session:
            owed, received = figures.owed(session), figures.unfinished(session)
        gauge = GaugeMetricFamily(
            "vk_deliveries", "Deliveries that are not at their end, by status.", labels=["status"]
        )
        for status, count in owed.items():
            gauge.add_metric([status], count)
        yield gauge
        gauge = GaugeMetricFamily("vk_inbound_events", "Inbound events not worked off, by status.", labels=["status"])
        for status, count in received.items():
            gauge.add_metric([status], count)
        yield gauge
