"""What receiving cannot do without: a Flask view that inserts the bytes it got, and nothing else."""

import os
import uuid
from datetime import UTC, datetime
from functools import cache

from flask import Flask, request
from sqlalchemy import text

from vrio_klaviyo.store.db import Database
from webhooks.front import Front
from wsgi import WEB_THREADS

INSERT = text(
    """
    INSERT INTO inbound_events
      (id, source_id, type, event, event_id, received_at, body, dedup_key, status, reason, notes, starts, waits_for)
    VALUES (:id, :source_id, '', '', '', :received_at, :body, :id, 'received', '', '[]', 0, '')
    """
)


@cache
def create_app() -> Flask:
    """The application; its database and its source are those of the environment."""
    app = Flask("bare", static_folder=None)
    db, source_id = Database(os.environ["DATABASE_URL"]), os.environ["BARE_SOURCE"]

    @app.post("/")
    def bare() -> tuple[dict[str, bool], int]:
        # SQLite: the driver's own way of writing a moment is on its way out.
        now = datetime.now(UTC).isoformat(sep=" ")
        row = {"id": uuid.uuid4().hex, "source_id": source_id, "received_at": now, "body": request.get_data()}
        with db.engine.begin() as connection:
            connection.execute(INSERT, row)
        return {"received": True}, 202

    return app


def __getattr__(name: str) -> Front:
    if name == "front":
        return Front(create_app(), WEB_THREADS)
    raise AttributeError(name)
