"""
POST /webhooks/vrio/<key>: check, keep, ring, 202.

Nothing is understood here but the envelope. Who posts waits for one commit; all the rest is the intake's.
"""

import hashlib
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from vrio_klaviyo.store.arrivals import Arrivals
from vrio_klaviyo.store.db import Database, DatabaseError
from vrio_klaviyo.store.keeping import Envelope, Kept
from vrio_klaviyo.store.sources import WEBHOOK_PATH, key_hash, source_of_key
from webhooks.card_data import scrubbed
from webhooks.reading import canonical, read

LARGEST_BODY = 1024 * 1024
RETRY_AFTER_S = 5
# A key is looked up once in a while and not for every webhook; a key that was taken away works for that much longer.
KEY_KNOWN_FOR_S = 5.0
# Vrio's words and ids have a few dozen characters. What is longer is kept in the body.
_LONGEST_WORD = 200


class Receiver:
    """Keeps what comes in."""

    def __init__(self, db: Database, ring: Callable[[str, str], bool], now: Callable[[], datetime]) -> None:
        self._db = db
        self._arrivals = Arrivals(db)
        self._ring = ring
        self._now = now
        self._known: dict[str, tuple[str, float]] = {}

    def source_of(self, key: str) -> str | None:
        """The source that the key belongs to. Raises DatabaseError."""
        hashed = key_hash(key)
        source_id, until = self._known.get(hashed, ("", 0.0))
        if until > time.monotonic():
            return source_id
        with self._db.read() as session:
            found = source_of_key(session, key, self._now())
        if found:
            self._known[hashed] = (found, time.monotonic() + KEY_KNOWN_FOR_S)
        else:
            self._known.pop(hashed, None)
        return found

    def receive(self, source_id: str, body: bytes) -> tuple[Kept, str]:
        """
        Keep one webhook and ring for it; where it is kept, and why it cannot be read, if so.

        Raises: DatabaseError when it could not be kept.
        """
        body = scrubbed(body)
        envelope, dedup_key, unreadable = opened(body)
        kept = self._arrivals.keep(source_id, envelope, body, dedup_key, self._now(), unreadable)
        if not (kept.duplicate or unreadable):
            self._ring("intake", source_id)
        return kept, unreadable


def opened(body: bytes) -> tuple[Envelope, str, str]:
    """
    The envelope, the hash that tells a repeat, and the reason when the body is no JSON object.

    Shape:  two bodies are the same webhook when they are the same JSON, whichever of Vrio's generations wrote the id:
            5325 is "5325". The order of members and the white space do not count.
    """
    try:
        document = read(body)
        if not isinstance(document, dict):
            return Envelope(), _hash(b"not an object\n", body), "The body is JSON, but no JSON object."
        event_id = _word(document.get("webhook_event_id"))
        if event_id:
            document["webhook_event_id"] = event_id
        spelled = canonical(document)
    except RecursionError:
        return Envelope(), _hash(b"too deep\n", body), "The body is nested too deeply."
    except ValueError:
        return Envelope(), _hash(b"not JSON\n", body), "The body is not JSON." if body else "The body is empty."
    envelope = Envelope(_word(document.get("webhook_type")), _word(document.get("webhook_event")), event_id)
    return envelope, _hash(b"", spelled), ""


def _word(value: Any) -> str:
    """A word of the envelope; "" for what is no text and no number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()[:_LONGEST_WORD]


def _hash(kind: bytes, content: bytes) -> str:
    return hashlib.sha256(kind + content).hexdigest()


def blueprint(receiver: Receiver) -> Blueprint:
    """The route, for `create_app`."""
    routes = Blueprint("vrio", __name__)

    @routes.post(f"{WEBHOOK_PATH}<key>")
    def vrio(key: str) -> tuple[Response, int] | tuple[Response, int, dict[str, str]]:
        try:
            source_id = receiver.source_of(key)
            if source_id is None:
                return jsonify(error="No source has this address."), 404
            if (request.content_length or 0) > LARGEST_BODY:
                return jsonify(error="The body is over 1 MiB."), 413
            body = request.stream.read(LARGEST_BODY + 1)
            if len(body) > LARGEST_BODY:
                return jsonify(error="The body is over 1 MiB."), 413
            kept, unreadable = receiver.receive(source_id, body)
        except DatabaseError:
            # Vrio must not be told that it is kept: 202 means committed.
            return jsonify(error="It cannot be stored just now."), 503, {"Retry-After": str(RETRY_AFTER_S)}
        if unreadable:
            return jsonify(received=False, id=kept.id, error=unreadable), 400
        if kept.duplicate:
            return jsonify(received=True, duplicate=True, id=kept.id), 200
        return jsonify(received=True, id=kept.id), 202

    return routes
