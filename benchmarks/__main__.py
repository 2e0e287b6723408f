"""`make bench`: receiving, intake and lane, each against the bare work that it cannot do without."""

import hashlib

import structlog

from benchmarks.house import ROUNDS, House, now, opened, rate, report, silent, webhooks
from sandbox.klaviyo import GOOD_KEY, Settings, create_app, serve_in_thread
from vrio_klaviyo.intake import Intake
from vrio_klaviyo.klaviyo.client import new_session
from vrio_klaviyo.klaviyo.requests import Known, Rendered, Style, loads, render
from vrio_klaviyo.lane import Lane
from vrio_klaviyo.store.deliveries import list_deliveries
from vrio_klaviyo.store.inbound import Envelope, keep
from vrio_klaviyo.vrio import schemas
from webhooks.vrio import Receiver

COUNT = 200


def receiving() -> None:
    """Checking, scrubbing and keeping a webhook, against the one insert of the same bytes."""
    ours, bare = [], []
    for _ in range(ROUNDS):
        bodies = webhooks(COUNT)
        with opened() as house:
            ours.append(rate(COUNT, received, house, bodies))
        with opened() as house:
            bare.append(rate(COUNT, inserted, house, bodies))
    report("receiving", "webhooks", ours, bare, "the insert alone")


def intake() -> None:
    """From kept webhooks to queued deliveries, against reading the same webhooks and nothing else."""
    ours, bare = [], []
    for _ in range(ROUNDS):
        bodies = webhooks(COUNT)
        with opened() as house:
            received(house, bodies)
            ours.append(rate(COUNT, taken_in, house))
        bare.append(rate(COUNT, lambda bodies: [schemas.load(body) for body in bodies], bodies))
    report("intake", "webhooks", ours, bare, "reading alone")


def lane() -> None:
    """From queued deliveries to closed attempts, against posting the same bodies over one session."""
    ours, bare = [], []
    with serve_in_thread(create_app(Settings(rate_limits=False))) as url:
        for number in range(ROUNDS):
            with opened() as house:
                received(house, webhooks(COUNT // 4, first=number * COUNT))
                taken_in(house)
                with house.db.read() as session:
                    kept = [loads(delivery.request) for delivery in list_deliveries(session, limit=COUNT)]
                ours.append(rate(len(kept), sent, house, url))
            bare.append(rate(len(kept), posted, url, [render(request, Style(), Known()) for request in kept]))
    report("lane", "requests", ours, bare, "one session, nothing kept")


def received(house: House, bodies: list[bytes]) -> None:
    """The web process's work, without HTTP."""
    receiver = Receiver(house.db, silent, now)
    for body in bodies:
        receiver.receive(house.source.id, body)


def inserted(house: House, bodies: list[bytes]) -> None:
    """As little as keeps a body."""
    for body in bodies:
        keep(house.db, house.source.id, Envelope(), body, hashlib.sha256(body).hexdigest(), now())


def taken_in(house: House) -> None:
    """The intake's work, slice by slice."""
    rung = {"intake"}
    while "intake" in rung:
        rung.clear()
        Intake(db=house.db, ring=lambda job, _: rung.add(job) is None, now=now).drain(house.source.id, "benchmark")


def sent(house: House, url: str) -> None:
    """The lane's work, slice by slice."""
    rung = {"lane"}
    ring, http = (lambda job, _: rung.add(job) is None), new_session()
    while "lane" in rung:
        rung.clear()
        lane = Lane(db=house.db, vault=house.vault, http=http, base_url=url, ring=ring, now=now)
        lane.drain(house.connection.account_id, "benchmark")
    http.close()


def posted(url: str, bodies: list[Rendered]) -> None:
    """The calls alone."""
    with new_session() as session:
        for one in bodies:
            headers = {**one.headers, "authorization": f"Klaviyo-API-Key {GOOD_KEY}"}
            session.post(url + one.path, data=one.body, headers=headers, timeout=10)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    print(f"Medians of {ROUNDS} rounds on this machine, SQLite; {len(webhooks(1)[0])} bytes each.")
    for measure in (receiving, intake, lane):
        measure()
