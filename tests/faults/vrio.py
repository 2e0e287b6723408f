"""A Vrio that remembers what it was told: the first half of the promise."""

import copy
import threading
import time
from collections.abc import Iterable
from typing import Any

import requests

from tests.product import PATIENCE_S, sample

SALE = "transaction_completed_sale_subscription_cycle1"
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
    own = {"id": f"{900_000 + number}", "email": f"customer{number}@acme.test", "phone": ""}
    transaction["customer"] |= own | customer
    return webhook


def events_of(number: int) -> set[Event]:
    """What that sale comes to in Klaviyo: metric and unique id."""
    transaction = 200_000 + number
    return {
        ("Placed Order", f"{transaction}"),
        ("Ordered Product", f"{transaction}_1"),
        ("Started Subscription", f"{transaction}_1_sub"),
    }


class Vrio:
    """
    Posts numbered sales.

    Shape:  acknowledged holds the numbers that were answered 2xx; doubtful those that were posted and were not, be it
            that there was no answer or that it was another one; owed holds events of which a test has opened the
            deliveries itself. Safe in several threads.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.acknowledged: set[int] = set()
        self.doubtful: set[int] = set()
        self.owed: set[Event] = set()
        self._lock = threading.Lock()

    def post(self, number: int, webhook: dict[str, Any] | None = None, address: str = "") -> requests.Response | None:
        """The answer to this sale; None when there was none."""
        with self._lock:
            if number not in self.acknowledged:
                self.doubtful.add(number)
        try:
            url = address or self.address
            answer = requests.post(url, json=webhook or sale(number), timeout=ANSWERS_WITHIN_S)
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
                assert time.monotonic() < ends, f"sale {number} is not acknowledged: the last answer was {told}"
                time.sleep(0.1)
