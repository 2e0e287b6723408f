"""The client against the sandbox, which knows nothing of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from sandbox.klaviyo.server import serve_in_thread
from sandbox.vrio import SANDBOX_KEY, Settings, World, create_app, tell_month
from sandbox.vrio.charges import Sale, Transaction
from sandbox.vrio.records import Customer, Order, OrderOffer
from tests.vrio.client.played import LOOKUPS
from vrio_klaviyo.errors import CallFailed, NotAuthorized, Retriable, Throttled
from vrio_klaviyo.vrio.client import VrioClient

pytestmark = pytest.mark.requirement("003-C")


class Sandbox:
    """A Vrio of our own, served over HTTP."""

    def __init__(self, url: str, world: World) -> None:
        self.url, self.world = url, world

    def client(self, http: requests.Session, key: str = SANDBOX_KEY, **how: Any) -> VrioClient:
        return VrioClient(self.url, key, http, self.world.zone, wait=lambda _: None, **how)

    def ids(self, kind: type[Any], customer_id: int | None = None) -> set[str]:
        return {str(record.id) for record in self.world.current.all(kind, customer_id)}

    def fault(self, kind: str, **how: Any) -> None:
        requests.post(f"{self.url}/sandbox/faults", json={"fault": kind, **how}, timeout=30).raise_for_status()

    def state(self) -> Any:
        return requests.get(f"{self.url}/sandbox/state", timeout=30).json()

    def reset(self) -> None:
        requests.post(f"{self.url}/sandbox/reset", timeout=30).raise_for_status()


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    world = tell_month(40, zone="America/Denver")
    with serve_in_thread(create_app(world, Settings(latency_ms=5))) as url:
        yield Sandbox(url, world)


@pytest.fixture
def sandbox(served: Sandbox) -> Sandbox:
    served.reset()
    return served


def test_all_that_the_sandbox_holds_can_be_looked_up(sandbox: Sandbox, http: requests.Session) -> None:
    client, world = sandbox.client(http), sandbox.world.current
    for sold in world.all(Transaction):
        found = client.transaction(str(sold.id))
        assert found is not None
        assert found.notes == ()
        assert found.record.total == sold.total
        # What was skipped is no sale yet.
        assert found.record.sale_id == (str(sold.sale_id) if world.find(Sale, sold.sale_id) else "")
        assert found.record.order.order_id == str(sold.order_id)
        assert found.record.customer.customer_id == str(sold.customer_id)
        # The SKU is that of a parcel, and not all that is listed was ever packed.
        assert [(line.item_id, line.price) for line in found.record.line_items] == [
            (str(line.item.item_id), line.price) for line in sold.lines
        ]
        assert {line.sku for line in found.record.line_items} <= {"", *(line.item.sku for line in sold.lines)}
    for ordered in world.all(Order):
        order = client.order(str(ordered.id))
        assert order is not None
        assert order.notes == ()
        assert [offer.order_offer_id for offer in order.record.offers] == [str(o.id) for o in world.offers(ordered)]
    for bought in world.all(OrderOffer):
        offer = client.order_offer(str(bought.id))
        assert offer is not None
        assert offer.notes == ()
        assert [line.sku for line in offer.lines] == [item.sku for item in bought.offer.items]
        assert offer.discount_code == (bought.discount.code if bought.discount else "")
    for person in world.all(Customer):
        customer = client.customer(str(person.id))
        assert customer is not None
        assert customer.notes == ()
        assert len(customer.record.addresses) == len(set(person.addresses))


def test_all_that_a_customer_has_in_the_sandbox_is_found(sandbox: Sandbox, http: requests.Session) -> None:
    client = sandbox.client(http)
    for person in sandbox.world.current.all(Customer):
        paid, bought = client.transactions_of(str(person.id)), client.order_offers_of(str(person.id))
        assert {told.transaction_id for told in paid.records} == sandbox.ids(Transaction, person.id)
        assert {told.order_offer_id for told in bought.records} == sandbox.ids(OrderOffer, person.id)
        assert {told.customer_id for told in bought.records} <= {str(person.id)}
        assert (paid.is_whole, bought.is_whole, paid.notes, bought.notes) == (True, True, (), ())


def test_the_sandbox_never_sees_more_than_three_at_once(sandbox: Sandbox, http: requests.Session) -> None:
    client = sandbox.client(http)
    with ThreadPoolExecutor(20) as threads:
        found = list(threads.map(client.transactions_of, sorted(sandbox.ids(Customer))))

    assert len(found) == 40
    assert 1 <= sandbox.state()["most_at_once"]["/transactions"] <= 3


def test_the_sandboxs_unfinished_answers_are_followed(sandbox: Sandbox, http: requests.Session) -> None:
    client = sandbox.client(http)
    sandbox.fault("processing", path="/transactions/", polls=3)
    sandbox.fault("processing", path="/order_offers", polls=0)
    number, person = min(sandbox.ids(Transaction)), min(sandbox.ids(Customer))

    found, bought = client.transaction(number), client.order_offers_of(person)

    assert found is not None
    assert found.record.transaction_id == number
    assert {told.order_offer_id for told in bought.records} == sandbox.ids(OrderOffer, int(person))
    assert sandbox.state()["requests"] == 1 + 4 + 1 + 1


@pytest.mark.parametrize(
    ("fault", "how", "kind"),
    [
        ("processing", {"polls": 99}, Retriable),
        ("status", {"status": 500}, Retriable),
        ("status", {"status": 429, "headers": {"Retry-After": "3"}}, Throttled),
        ("status", {"status": 302, "headers": {"Location": "/customers/1"}}, Retriable),
        ("status", {"status": 403}, NotAuthorized),
        ("html", {"status": 403}, Retriable),
        ("html", {"status": 404}, Retriable),
        ("html", {"status": 200}, Retriable),
        ("garbage", {}, Retriable),
        ("reset", {}, Retriable),
    ],
)
def test_the_sandboxs_faults_are_told_apart(
    sandbox: Sandbox, http: requests.Session, fault: str, how: dict[str, Any], kind: type[CallFailed]
) -> None:
    sandbox.fault(fault, **how)
    with pytest.raises(CallFailed) as failed:
        sandbox.client(http).customer(min(sandbox.ids(Customer)))

    assert type(failed.value) is kind
    assert SANDBOX_KEY not in f"{failed.value.reason} {failed.value} {failed.value!r}"


def test_a_sandbox_that_hangs_is_not_waited_for(sandbox: Sandbox, http: requests.Session) -> None:
    sandbox.fault("hang", seconds=5)

    with pytest.raises(Retriable, match=r"^no answer within 0\.5 s$"):
        sandbox.client(http, read_timeout_s=0.5).customer(min(sandbox.ids(Customer)))


def test_the_sandbox_knows_its_key_and_what_it_does_not_have(sandbox: Sandbox, http: requests.Session) -> None:
    with pytest.raises(NotAuthorized, match=r"^401 unauthorized$"):
        sandbox.client(http, "another-key").customer("1")

    client = sandbox.client(http)
    assert [lookup(client, "1") for lookup in LOOKUPS.values()] == [None] * 4
    assert client.transactions_of("1").records == ()
