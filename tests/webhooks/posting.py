"""Vrio, posting to one source, and what is kept of that."""

import json
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.bodies import SALE, sample
from tests.building import House
from vrio_klaviyo.store import inbound
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.sources import webhook_path
from webhooks.vrio import Receiver, blueprint

# Nothing of it is taken out before it is kept.
PLAIN = sample(SALE)
del PLAIN["webhook_data"]["transaction"]["customer_card"]
NO_OBJECT = [
    (b"", "empty"),
    (b" \n", "not JSON"),
    (b"hello", "not JSON"),
    (b"a=1&b=2", "not JSON"),
    (b'{"webhook_type": "transaction"', "not JSON"),
    (b"{'webhook_type': 'transaction'}", "not JSON"),
    (b'{"name": "\xff\xfe"}', "not JSON"),
    (b'{"name": "\xc3\x28"}', "not JSON"),
    (b"\x00\x01\x02\xff", "not JSON"),
    (b"[1, 2]", "no JSON object"),
    (b"[]", "no JSON object"),
    (b"null", "no JSON object"),
    (b"true", "no JSON object"),
    (b'"text"', "no JSON object"),
    (b"5325", "no JSON object"),
    (b"9" * 5000, "no JSON object"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
]


def app_over(receiver: Receiver) -> Flask:
    """The receiving part of the product, and nothing else of it."""
    app = Flask("tests", root_path=".")
    app.register_blueprint(blueprint(receiver))
    return app


class Post:
    """Vrio, posting to one source."""

    def __init__(self, house: House, ring: Any = None) -> None:
        self._app = app_over(Receiver(house.db, ring or house.ring, house.clock))
        self.path = webhook_path(house.source, house.vault)

    @property
    def http(self) -> FlaskClient:
        """A caller of its own for each call: several may be made at once."""
        return self._app.test_client()

    def __call__(self, body: Any, path: str = "", **how: Any) -> TestResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(path or self.path, **{"data": raw, "content_type": "application/json"} | how)


def kept(house: House) -> list[InboundEvent]:
    """Everything that is kept, oldest first."""
    with house.db.read() as session:
        return inbound.list_inbound(session, limit=999)[::-1]


def only(house: House) -> InboundEvent:
    """The one thing that is kept."""
    (event,) = kept(house)
    return event


def deep(levels: int) -> bytes:
    """A webhook with a list in so many others."""
    return b'{"webhook_type": "order", "a": ' + b"[" * levels + b"]" * levels + b"}"
