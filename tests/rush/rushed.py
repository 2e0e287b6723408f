"""A lane that is in a rush, and what of it is seen."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import insert, select

from tests.bodies import event
from tests.building import House
from tests.steered import Klaviyo
from vrio_klaviyo.klaviyo.requests import Profile
from vrio_klaviyo.rush import fitting, job_of
from vrio_klaviyo.store import turns
from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.connections import Connection, KlaviyoAccount
from vrio_klaviyo.store.deliveries import Delivery

BULK, SINGLE = "/api/event-bulk-create-jobs", "/api/events"
PHONE, BAD_PHONE = "+15551234567", "+15550000101"


def owe(house: House, connection: Connection, count: int, **changes: Any) -> list[Delivery]:
    return [house.owe(connection, number, customer=number, **changes) for number in range(count)]


def rush(house: House, connection: Connection, **options: Any) -> None:
    house.settle(connection, **{"rush_at": 3} | options)


def asked(klaviyo: Klaviyo) -> list[str]:
    return [request["path"] for request in klaviyo.requests()]


def jobs(klaviyo: Klaviyo) -> list[Any]:
    """The entries of each job."""
    bodies = [json.loads(request["body"]) for request in klaviyo.requests() if request["path"] == BULK]
    return [body["data"]["attributes"]["events-bulk-create"]["data"] for body in bodies]


def of(number: int, phone: str | None = None, **profile: Any) -> Any:
    return event(f"{1000 + number}", profile=Profile(email=f"john{number}@acme.test", phone=phone, **profile))


def owe_long(
    house: House, connection: Connection, numbers: Iterable[int], length: int = 9000, letter: str = "x"
) -> list[Delivery]:
    """Events of so many letters each."""
    bodies = {number: event(f"{1000 + number}", email=f"john{number}@acme.test") for number in numbers}
    long = {number: replace(body, properties={"Text": letter * length}) for number, body in bodies.items()}
    return [house.owe(connection, number, customer=number, request=body) for number, body in long.items()]


def length_of_a_job(house: House, connection: Connection) -> int:
    """Of all that is owed."""
    with house.db.read() as session:
        fit, _ = fitting(turns.claim_all_due(session, connection.id, house.clock(), 100))
        return len(job_of(fit).rendered.body)


def sizes(klaviyo: Klaviyo) -> list[tuple[int, int]]:
    """Of each job how many entries it had, and the answer."""
    answers = [request["status"] for request in klaviyo.requests() if request["path"] == BULK]
    return list(zip(map(len, jobs(klaviyo)), answers, strict=True))


def owe_copies(house: House, delivery: Delivery, count: int) -> None:
    """So many more like this one, under ids of their own."""
    with house.db.write() as session:
        table = Delivery.__table__
        row = dict(session.execute(select(table).where(table.c.id == delivery.id)).mappings().one())
        del row["cause"]
        rows = [
            row
            | {"id": f"{delivery.id}_{number}", "dedup_key": f"copy {number}", "customer_id": None}
            | {"request": delivery.request.replace(b"1000", b"%d" % (20_000 + number))}
            for number in range(count)
        ]
        session.execute(insert(table), rows)  # type: ignore[arg-type]


def keep_short(house: House, connection: Connection, longest: int) -> None:
    """Jobs have so many bytes at most, as if Klaviyo had refused one of twice as many."""
    short = {"longest": longest, "short_until": house.clock().timestamp() + 3600}
    with house.db.write() as session:
        session.get_one(KlaviyoAccount, connection.account_id).pacing = {BULK: short}


def calls(house: House) -> list[list[str]]:
    """What each request was made of, the one that was begun first first."""
    ids = select(Attempt.exchange_id, Delivery.unique_id).join(Delivery, Delivery.id == Attempt.delivery_id)
    made: dict[str, list[str]] = {}
    with house.db.read() as session:
        for exchange_id, unique_id in session.execute(ids.order_by(Attempt.id)):
            made.setdefault(exchange_id, []).append(unique_id)
    return list(made.values())


def under_way(house: House) -> list[str]:
    """The requests of which nothing came back yet."""
    open_ = Attempt.duration_ms.is_(None), Attempt.error.is_(None)
    with house.db.read() as session:
        return list(session.scalars(select(Attempt.exchange_id).where(*open_).distinct()))
