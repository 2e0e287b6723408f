"""What is measured: the product's parts on a fresh SQLite file, with webhooks of as many customers as wanted."""

import copy
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from sandbox.klaviyo import GOOD_KEY
from vrio_klaviyo.store.connections import Connection, add_connection
from vrio_klaviyo.store.crypto import Vault, new_key
from vrio_klaviyo.store.db import Database, upgrade
from vrio_klaviyo.store.sources import Source, add_source
from vrio_klaviyo.store.workspaces import find_workspace

SAMPLE = Path(__file__).parents[1] / "sandbox/samples/transaction_completed_sale_subscription_cycle1.json"
ROUNDS = 5


class House:
    """A workspace with one source and one connection."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.vault = Vault([new_key()])
        with db.write() as session:
            workspace = find_workspace(session)
            self.source: Source = add_source(session, self.vault, workspace, "Vrio")
            self.connection: Connection = add_connection(session, self.vault, workspace, "Klaviyo", GOOD_KEY)


@contextmanager
def opened() -> Iterator[House]:
    """A house that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/benchmark.db"
        upgrade(url)
        db = Database(url)
        yield House(db)
        db.close()


def now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


def silent(_job: str, _subject: str) -> bool:
    """A bell that nobody hears."""
    return True


def webhooks(count: int, first: int = 0) -> list[bytes]:
    """So many sales, each of another customer."""
    sample: dict[str, Any] = json.loads(SAMPLE.read_bytes())
    made = []
    for number in range(first, first + count):
        webhook = copy.deepcopy(sample)
        webhook["webhook_event_id"] = 100_000 + number
        transaction = webhook["webhook_data"]["transaction"]
        transaction["id"] = str(100_000 + number)
        transaction["order"] |= {"id": str(200_000 + number), "customer_id": str(300_000 + number)}
        transaction["customer"] |= {"id": str(300_000 + number), "email": f"customer{number}@example.com", "phone": ""}
        for offer in transaction["transaction_order_offers"]:
            offer |= {"id": str(400_000 + number), "customer_id": str(300_000 + number)}
        made.append(json.dumps(webhook).encode())
    return made


def rate(count: int, work: Callable[..., object], *arguments: Any) -> float:
    """How many a second, when this call does so many."""
    began = time.perf_counter()
    work(*arguments)
    return count / (time.perf_counter() - began)


def report(name: str, unit: str, ours: list[float], theirs: list[float], against: str) -> None:
    """One line: the medians of both per second, and the median of the ratios taken round by round."""
    ratio = median(own / other for own, other in zip(ours, theirs, strict=True))
    print(f"{name:<28}{median(ours):>8.0f} {unit}/s   {against}: {median(theirs):>8.0f} /s   ratio {ratio:.2f}")
