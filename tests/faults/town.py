"""Where fault tests play: the whole product in processes of its own, who posts to it, and whom it sends to."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import requests
from redis import Redis
from sqlalchemy import select, update

from sandbox.klaviyo import GOOD_KEY
from sandbox.redis_server import PrivateRedis
from tests.faults.promise import keeps_its_promise, under_way
from tests.faults.vrio import Vrio
from tests.product import Product, wait_until
from tests.steered import Klaviyo
from vrio_klaviyo.store.connections import add_connection
from vrio_klaviyo.store.crypto import Vault, new_key
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.deliveries import Delivery, DeliveryStatus
from vrio_klaviyo.store.inbound import InboundEvent, InboundStatus
from vrio_klaviyo.store.sources import add_source, webhook_path
from vrio_klaviyo.store.workspaces import find_workspace

# What was set aside, and what waits for a thing that only it tells of.
SET_ASIDE = ("failed", "waiting")
INSIDE = Path(__file__).with_name("inside")


class Town:
    """
    One merchant with one source and one connection.

    Shape:  `folder` takes the files by which a process is told its fate.
    """

    def __init__(self, database_url: str, redis: PrivateRedis, klaviyo: Klaviyo, folder: Path) -> None:
        self.db = Database(database_url)
        self.redis = redis
        self.klaviyo = klaviyo
        self._folder = folder
        self._environment = {"ENCRYPTION_KEYS": new_key(), "LOG_LEVEL": "warning"}
        self._urls = (database_url, redis.url, klaviyo.url)
        vault = Vault([self._environment["ENCRYPTION_KEYS"]])
        with self.db.write() as session:
            workspace = find_workspace(session)
            source = add_source(session, vault, workspace, "Shop")
            add_connection(session, vault, workspace, "Klaviyo", GOOD_KEY)
        self._path = webhook_path(source, vault)
        self.product = Product(*self._urls, **self._environment)
        self._products = [self.product]
        self.vrio = Vrio(self.address_of(self.product))

    def close(self) -> None:
        """End every process."""
        for product in self._products:
            product.close()
        self.db.close()

    def beside(self) -> Product:
        """More processes of the same installation, with a port of their own."""
        self._products.append(Product(*self._urls, **self._environment))
        return self._products[-1]

    def address_of(self, product: Product) -> str:
        """The address that Vrio posts to."""
        return f"{product.url}{self._path}"

    def at_rest(self, *still: str) -> bool:
        """Whether nothing is to be done; what stands so is left out."""
        return not under_way(self.db, still)

    def tell(self, what: str) -> str:
        """This, and how the town stands: what is under way, and which processes have ended."""
        return f"{what}; under way: {under_way(self.db)}; ended: {self.product.ended()}"

    def keeps_its_promise(self, still: tuple[str, ...] = ()) -> None:
        """Fails unless what was acknowledged is in Klaviyo, once, or to be seen with a reason, and nothing else is."""
        keeps_its_promise(self.vrio, self.db, self.klaviyo.url, still=still)

    def sent_again(self) -> list[str]:
        """What Klaviyo was told more than once, which it takes without a word: events that it has, and whole bodies."""
        events = [f"{event['metric']} {event['unique_id']}" for event in self.klaviyo.events() if event["repeats"]]
        bodies = Counter(request["body"] for request in self.klaviyo.requests() if request["method"] == "POST")
        return events + [body for body, times in bodies.items() if times > 1]

    def dies_at(self, moment: int, name: str, work: str = "", **faults: str) -> "Fate":
        """Start a process that dies at this moment of its life, or of what it does in this module."""
        fate = Fate(self._folder / f"{name}_dies", moment)
        self.start_with(name, FAULT_DIES_AT=str(fate.file), FAULT_DIES_IN=work, **faults)
        return fate

    def start_with(self, *names: str, **faults: str) -> None:
        """Start processes with something wrong inside."""
        self.product.start(*names, PYTHONPATH=str(INSIDE), **faults)

    def hurry(self) -> None:
        """The time of everything that waits for its next try has come: some would wait for hours."""
        now = datetime.now(UTC)
        # What is due already may be on its way, and a lane that writes of it be waited for in the wrong order.
        waits = update(Delivery).where(Delivery.status == DeliveryStatus.RETRYING, Delivery.next_attempt_at > now)
        with self.db.write() as session:
            session.execute(waits.values(next_attempt_at=now))

    def take_up_again(self) -> None:
        """What was set aside, because workers had died while they worked on it, goes on by hand."""
        wait_until(lambda: self.at_rest(*SET_ASIDE), "everything else has gone")
        with self.db.read() as session:
            inbound = list(session.scalars(select(InboundEvent.id).where(InboundEvent.status == InboundStatus.FAILED)))
            deliveries = list(session.scalars(select(Delivery.id).where(Delivery.status == DeliveryStatus.FAILED)))
        if inbound:
            self.product.flask("inbound", "again", *inbound)
        for delivery_id in deliveries:
            self.product.flask("delivery", "resend", delivery_id)

    def heal_klaviyo(self) -> None:
        """Klaviyo has no more faults."""
        requests.delete(f"{self.klaviyo.url}/sandbox/faults", timeout=5).raise_for_status()

    def flush_redis(self) -> None:
        """Redis forgets everything."""
        with Redis.from_url(self.redis.url) as client:
            client.flushall()


class Fate:
    """When a process dies; it takes the file away when it does."""

    def __init__(self, file: Path, moment: int) -> None:
        self.file = file
        file.write_text(str(moment))

    @property
    def is_met(self) -> bool:
        """Whether it has died."""
        return not self.file.exists()

    def wait(self, what: str) -> None:
        """Until it has died."""
        wait_until(lambda: self.is_met, what)
