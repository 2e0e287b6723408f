"""Klaviyo has a bad day in a rush: what goes wrong is a job, and every event that is in it."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from sqlalchemy import update

from sandbox.klaviyo import Settings
from tests.faults.owing import owe
from tests.faults.promise import under_way
from tests.faults.town import Town
from tests.faults.vrio import Event, events_of, sale
from tests.product import wait_until
from vrio_klaviyo.store.connections import KlaviyoAccount
from vrio_klaviyo.store.deliveries import list_deliveries

# A sale comes to three deliveries, so this is a rush six times over.
SALES = 12
RUSH_AT = 6
# The first four are those of any lane: its lease, and what it tidies up. Then a job is claimed, its answer is written
# down, and the lease is given back; each has a moment before its commit and one after it.
MOMENTS = range(5, 11)
ANSWERED = MOMENTS[2:]
JOBS = "/api/event-bulk-create-jobs"
EVENTS = "/api/events"
# More than half of what twice as many sales make: less than some ten kilobytes is not sent as a job at all.
MOST_BYTES = 40_000


@pytest.fixture(scope="module")
def standing(lasting_town: Town) -> Town:
    """A town whose web and clock processes run, until the last test of this module."""
    lasting_town.product.start("web", "clock")
    return lasting_town


@pytest.fixture
def town(standing: Town) -> Iterator[Town]:
    """The town, with a Klaviyo that has no faults yet, and of which nothing is remembered; nobody works."""
    standing.heal_klaviyo()
    standing.klaviyo.settings(bulk_bytes=Settings.bulk_bytes, refused_phones=[*Settings.refused_phones])
    with standing.db.write() as session:
        session.execute(update(KlaviyoAccount).values(pacing={}))
    yield standing
    standing.product.kill("worker")


def work(town: Town) -> int:
    """Have somebody work who finds a rush; how many requests Klaviyo had seen by then."""
    asked = len(town.klaviyo.requests())
    town.start_with("worker", FAULT_RUSHES_AT=str(RUSH_AT))
    return asked


def is_sent(town: Town) -> None:
    """Have somebody bring all to its end, who is gone then."""
    work(town)
    wait_until(town.at_rest, "everything has gone")
    town.product.kill("worker")


def asked_since(town: Town, asked: int, path: str) -> list[dict[str, Any]]:
    """The requests to this endpoint."""
    return [request for request in town.klaviyo.requests()[asked:] if request["path"] == path]


def people_in(job: dict[str, Any]) -> list[str]:
    """The e-mails of a job's entries."""
    entries = json.loads(job["body"])["data"]["attributes"]["events-bulk-create"]["data"]
    return [entry["attributes"]["profile"]["data"]["attributes"]["email"] for entry in entries]


def emails(numbers: Iterable[int]) -> list[str]:
    return [f"customer{number}@acme.test" for number in numbers]


@pytest.mark.parametrize(
    ("faults", "answers"),
    [
        ([{"fault": "reset"}, {"fault": "reset", "processed": True}], [None, None, 202]),
        (
            [
                {"fault": "status", "status": 503},
                {"fault": "throttle"},
                {"fault": "status", "status": 504, "processed": True},
            ],
            [503, 429, 504, 202],
        ),
    ],
    ids=["reset", "5xx and 429"],
)
def test_klaviyo_goes_wrong(town: Town, faults: list[dict[str, Any]], answers: list[int | None]) -> None:
    for fault in faults:
        town.klaviyo.fault(**fault, match={"path": JOBS})
    numbers = town.vrio.next_sales(SALES)
    town.vrio.insist(numbers)
    asked = work(town)

    def is_over() -> bool:
        # Each waits for a time of its own, and they would come back one by one.
        if set(under_way(town.db)) == {"retrying"}:
            town.hurry()
        return town.at_rest()

    wait_until(is_over, "everything has gone")
    town.keeps_its_promise()
    jobs = asked_since(town, asked, JOBS)
    assert [job["status"] for job in jobs] == answers
    assert [people_in(job) for job in jobs] == [emails(numbers)] * len(answers)
    assert asked_since(town, asked, EVENTS) == []


def test_what_a_job_is_refused_for_goes_by_itself_and_the_others_again(town: Town) -> None:
    """Klaviyo finds one person wrong, and then of another one the phone, which it has taken before."""
    known, phoned, named, *others = town.vrio.next_sales(SALES + 1)
    person = {"id": "77", "email": "john@acme.test", "phone": "(555) 100-1234"}
    assert town.vrio.post(known, sale(known, **person))
    work(town)
    town.keeps_its_promise()
    town.product.kill("worker")

    pointer = "/data/attributes/events-bulk-create/data/1/attributes/profile/data/attributes/email"
    complaint = {"errors": [{"status": 400, "code": "invalid", "source": {"pointer": pointer}}]}
    town.klaviyo.fault("status", status=400, body=complaint, match={"path": JOBS})
    # By itself, one of this person's events is refused again.
    town.klaviyo.fault("status", status=400, match={"path": EVENTS, "unique_id": f"{200_000 + named}"})
    town.klaviyo.settings(refused_phones=["+1555"])
    assert town.vrio.post(phoned, sale(phoned, **person))
    town.vrio.insist([named], others)
    asked = work(town)
    town.keeps_its_promise(still=("failed",))

    jobs = asked_since(town, asked, JOBS)
    assert [job["status"] for job in jobs] == [400, 400, 202]
    assert [len(people_in(job)) for job in jobs] == [SALES, SALES - 1, SALES - 2]
    assert people_in(jobs[-1]) == emails(others)
    singly = {metric_and_id(request) for request in asked_since(town, asked, EVENTS)}
    assert singly == events_of(phoned) | events_of(named)
    with town.db.read() as session:
        (failed,) = list_deliveries(session, status="failed")
    assert failed.unique_id == f"{200_000 + named}"
    town.product.flask("delivery", "resend", failed.id)
    town.keeps_its_promise()


def metric_and_id(request: dict[str, Any]) -> Event:
    """What the body of a single event tells."""
    attributes = json.loads(request["body"])["data"]["attributes"]
    return attributes["metric"]["data"]["attributes"]["name"], attributes["unique_id"]


def test_a_job_is_too_long_for_klaviyo(town: Town) -> None:
    numbers = town.vrio.next_sales(2 * SALES)
    town.klaviyo.settings(bulk_bytes=MOST_BYTES)
    town.vrio.insist(numbers)
    asked = work(town)
    town.keeps_its_promise()
    first, *others = asked_since(town, asked, JOBS)
    assert (first["status"], people_in(first)) == (413, emails(numbers))
    assert {job["status"] for job in others} == {202}
    assert max(len(people_in(job)) for job in others) <= SALES
    assert [person for job in others for person in people_in(job)] == emails(numbers)


def test_a_worker_is_killed_at_every_commit(town: Town) -> None:
    town.vrio.insist(town.vrio.next_sales(1))
    is_sent(town)
    for moment in MOMENTS:
        # What was in a job when a worker died goes singly beside the next one; what was single then, before all others.
        if moment - 1 in ANSWERED:
            is_sent(town)
        asked = len(town.klaviyo.requests())
        for person in range(4):
            owe(town, f"person{moment}_{person}", range(100 * moment + 10 * person, 100 * moment + 10 * person + 3))
        fate = town.dies_at(moment, "worker", "lane", FAULT_RUSHES_AT=str(RUSH_AT))
        fate.wait(f"the worker dies at moment {moment} of the lane")
        wait_until(town.product.ended, "it is gone")
        assert len(asked_since(town, asked, JOBS)) == (moment in ANSWERED)
    work(town)
    town.keeps_its_promise()


@pytest.mark.parametrize("processed", [False, True])
def test_a_worker_is_killed_while_klaviyo_does_not_answer_a_job(town: Town, processed: bool) -> None:
    town.klaviyo.fault("hang", seconds=3, processed=processed, match={"path": JOBS})
    numbers = town.vrio.next_sales(SALES)
    town.vrio.insist(numbers)
    asked = work(town)
    wait_until(lambda: asked_since(town, asked, JOBS), "a job is under way")
    town.vrio.insist(town.vrio.next_sales(SALES))
    town.product.kill("worker")
    work(town)
    town.keeps_its_promise()
    hanging, *others = asked_since(town, asked, JOBS)
    assert (hanging["status"], people_in(hanging)) == (None, emails(numbers))
    # Nobody knows which of it was to blame.
    singly = {metric_and_id(request) for request in asked_since(town, asked, EVENTS)}
    assert singly >= {event for number in numbers for event in events_of(number)}
    assert {job["status"] for job in others} <= {202}
