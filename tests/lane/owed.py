"""What a lane owes, what a dead worker left behind in it, and what of both is seen."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from tests.bodies import declined
from tests.building import House
from tests.steered import Klaviyo
from vrio_klaviyo.klaviyo.requests import loads, render
from vrio_klaviyo.store import attempts, leases, turns
from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.leases import LeaseRow

JOHN = "john@acme.test"
PHONE = "+15551234567"
BAD_PHONE = "(555) 000-0101"


def owe(house: House, *bodies: dict[str, Any]) -> None:
    """Post these webhooks and take them in."""
    for body in bodies or [declined()]:
        house.post(body)
    house.take_in()
    house.bells.clear()


def open_attempt(house: House, connection: Connection) -> str:
    """What a worker leaves that dies between its commit and Klaviyo's answer."""
    with house.db.write() as session:
        claimed = turns.claim_due(session, connection.account_id, house.clock(), 1)
        body = render(loads(claimed[0].delivery.request), connection.style, claimed[0].known)
        (opened,) = attempts.open_attempts(session, [(claimed[0], body)], house.klaviyo_url, house.clock())
    leases.acquire(house.db, f"lane/{connection.account_id}", "dead/1", house.clock())
    return opened


def arrives(house: House, connection: Connection, attempt: Attempt) -> None:
    """What was logged before it was sent reaches Klaviyo, and nobody here learns of it."""
    headers = {**attempt.request_headers, "Authorization": f"Klaviyo-API-Key {key_of(house, connection)}"}
    house.http.post(attempt.url, data=attempt.request_body, headers=headers, timeout=30).raise_for_status()


def together(*acts: Callable[[], object]) -> None:
    """Do all of this at once, each in a thread of its own, and wait for the end of it."""
    ready = Barrier(len(acts))

    def begin(act: Callable[[], object]) -> object:
        ready.wait(30)
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        list(threads.map(begin, acts))


def key_of(house: House, connection: Connection) -> str:
    """The private key of a connection."""
    return house.vault.unseal(connection.key_sealed, connection.workspace_id, connection.id)


def lease_of(house: House, connection: Connection) -> LeaseRow:
    """The lease of a connection's lane, as it stands."""
    with house.db.read() as session:
        return session.get_one(LeaseRow, f"lane/{connection.account_id}")


def told(attempt: Attempt) -> tuple[str, int | None]:
    """Why an attempt was made, and what Klaviyo answered."""
    return attempt.trigger, attempt.response_status


def sent_body(klaviyo: Klaviyo, index: int = 0) -> bytes:
    """The bytes of a request that reached Klaviyo."""
    return str(klaviyo.requests()[index]["body"]).encode()
