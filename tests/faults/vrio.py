"""A Vrio that remembers what it was told: the first half of the promise."""

import copy
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import requests

from tests.product import PATIENCE_S, sample

SALE = "transaction_completed_sale_subscription_cycle1"
# What begins here changes a profile and tells of no event; what begins there is the parcel of a sale, and waits for it.
NEWCOMERS, PARCELS = 1_000_000, 2_000_000
# The web server keeps a post for as long as it waits for a locked database or a frozen Redis.
ANSWERS_WITHIN_S = 15.0

Event = tuple[str, str]


def sale(number: int, **customer: str) -> dict[str, Any]:
    """The sample sale as another transaction of an order of its own, and of a customer unless told otherwise."""
    webhook = copy.deepcopy(sample(SALE))
    webhook["webhook_event_id"] = 70_000 + number
    transaction = webhook["webhook_data"]["transaction"]
    transaction["id"] = f"{200_000 + number}"
    transaction["order"]["id"] = f"{300_000 + number}"
    for offer in transaction["transaction_order_offers"]:
        offer |= {"id": f"{400_000 + number}", "order_id": f"{300_000 + number}"}
    transaction["customer"] |= _person(number) | customer
    return webhook


def newcomer(number: int) -> dict[str, Any]:
    """The sample of a customer who has bought nothing yet, as somebody else."""
    webhook = copy.deepcopy(sample("customer_created"))
    webhook["webhook_event_id"] = 70_000 + number
    webhook["webhook_data"]["customer"] |= _person(number)
    return webhook


def parcel(number: int) -> dict[str, Any]:
    """The sample parcel as that of a sale; whose it is stands in the sale only."""
    webhook = copy.deepcopy(sample("shipment_shipped"))
    sold = number - PARCELS
    webhook["webhook_event_id"] = 70_000 + number
    webhook["webhook_data"]["shipment"] |= {
        "id": f"{500_000 + sold}",
        "customer_id": f"{900_000 + sold}",
        "order_id": f"{300_000 + sold}",
        "transaction_charge_id": f"{200_000 + sold}",
    }
    return webhook


def _person(number: int) -> dict[str, str]:
    return {
        "id": f"{900_000 + number}",
        "email": f"customer{number}@acme.test",
        "first_name": f"John {number}",
        "phone": "",
    }


def webhook_of(number: int) -> dict[str, Any]:
    """What Vrio posts under this number."""
    return (parcel if number >= PARCELS else newcomer if number >= NEWCOMERS else sale)(number)


def mixed(numbers: Iterable[int]) -> Iterator[int]:
    """These sales, each with a newcomer beside it, and after a parcel that waits for it."""
    for number in numbers:
        yield from (PARCELS + number, number, NEWCOMERS + number)


def profile(told: dict[str, Any]) -> Event:
    """A profile as if it were an event: under another name it is another one."""
    return f"profile of {told.get('first_name') or 'nobody'}", told["email"]


def profile_of(number: int) -> Event:
    """Whom that webhook makes known to Klaviyo."""
    return profile(_person(number - PARCELS if number >= PARCELS else number))


def events_of(number: int) -> set[Event]:
    """What that webhook comes to in Klaviyo: metric and unique id, or a profile where it is about nothing else."""
    if number >= PARCELS:
        return {("Fulfilled Order", f"{200_000 + number - PARCELS}")}
    if number >= NEWCOMERS:
        return {profile_of(number)}
    transaction = 200_000 + number
    return {
        ("Placed Order", f"{transaction}"),
        ("Ordered Product", f"{transaction}_1"),
        ("Started Subscription", f"{transaction}_1_sub"),
    }


class Vrio:
    """
    Posts numbered sales, newcomers and parcels.

    Shape:  acknowledged holds the numbers that were answered 2xx; doubtful those that were posted and were not, be it
            that there was no answer or that it was another one; owed holds events of which a test has opened the
            deliveries itself; people are the profiles that were told of otherwise than under their number. Safe in
            several threads.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.acknowledged: set[int] = set()
        self.doubtful: set[int] = set()
        self.owed: set[Event] = set()
        self.people: set[Event] = set()
        self._lock = threading.Lock()

    def post(self, number: int, webhook: dict[str, Any] | None = None, address: str = "") -> requests.Response | None:
        """The answer to this webhook; None when there was none."""
        with self._lock:
            if number not in self.acknowledged:
                self.doubtful.add(number)
            if webhook:
                self.people.add(profile(webhook["webhook_data"]["transaction"]["customer"]))
        try:
            url = address or self.address
            answer = requests.post(url, json=webhook or webhook_of(number), timeout=ANSWERS_WITHIN_S)
        except requests.RequestException:
            return None
        if answer.ok:
            with self._lock:
                self.acknowledged.add(number)
                self.doubtful.discard(number)
        return answer

    def next_sales(self, number: int) -> range:
        """So many that nobody has posted."""
        first = len(self.acknowledged) + 1
        return range(first, first + number)

    def insist(self, *numbers: Iterable[int], seconds: float = PATIENCE_S) -> None:
        """Post each of these until it is acknowledged, as Vrio does."""
        ends = time.monotonic() + seconds
        for number in (number for some in numbers for number in some):
            while (answer := self.post(number)) is None or not answer.ok:
                told = "nothing" if answer is None else answer.status_code
                assert time.monotonic() < ends, f"webhook {number} is not acknowledged: the last answer was {told}"
                time.sleep(0.1)
