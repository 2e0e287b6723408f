"""Several processes of each kind on one installation, and webhooks that come twice, at once and out of order."""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from tests.faults.town import Town
from tests.faults.vrio import mixed, sale

NUMBERS = range(1, 16)


def test_the_same_webhook_at_the_same_moment_on_two_web_processes(town: Town) -> None:
    beside = town.beside()
    town.product.start("web", "worker", "clock")
    beside.start("web")
    addresses = [town.vrio.address, town.address_of(beside)]

    def post(job: tuple[int, str]) -> requests.Response | None:
        number, address = job
        return town.vrio.post(number, address=address)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(post, [(number, address) for number in NUMBERS for address in addresses * 2]))
    told = [answer.json() for answer in answers if answer is not None]
    assert len(told) == 4 * len(NUMBERS)
    assert sum(not answer.get("duplicate") for answer in told) == len(NUMBERS)
    assert len({answer["id"] for answer in told}) == len(NUMBERS)
    town.keeps_its_promise()
    assert town.sent_again() == []


def test_two_workers_and_two_clocks(town: Town) -> None:
    town.product.start("web", "worker", "clock")
    town.beside().start("worker", "clock")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(town.vrio.post, mixed(range(1, 21))))
    town.keeps_its_promise()
    assert len(town.vrio.acknowledged) == 60
    assert town.sent_again() == []


def test_late_never_overwrites_new(town: Town) -> None:
    """Two workers, and of each customer five webhooks: the newest one's name is the one that stays."""
    town.product.start("web", "worker", "clock")
    town.beside().start("worker", "clock")
    customers = range(1, 9)
    for customer in customers:
        # The oldest comes first and is sent again when newer ones have been accepted; the others come in any order.
        town.klaviyo.fault("status", status=503, match={"unique_id": f"{200_000 + 10 * customer}"})
        town.vrio.post(10 * customer, told(customer, 0))
    webhooks = [(10 * customer + version, told(customer, version)) for customer in customers for version in range(1, 5)]
    random.Random(7).shuffle(webhooks)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda webhook: town.vrio.post(*webhook), webhooks))
    town.keeps_its_promise()
    names = {customer: town.klaviyo.profile(f"customer{customer}@acme.test")["first_name"] for customer in customers}
    assert names == dict.fromkeys(customers, "Version 4")


def told(customer: int, version: int) -> dict[str, Any]:
    """A sale as it was told in a year, of a customer whose name changes every year."""
    at = f"{2020 + version}-08-15 10:30:00"
    webhook = sale(
        10 * customer + version,
        id=f"{customer}",
        email=f"customer{customer}@acme.test",
        first_name=f"Version {version}",
        date_modified=at,
    )
    webhook["webhook_event_date"] = at
    webhook["webhook_data"]["transaction"] |= {"date_modified": at, "date_complete": at}
    return webhook
