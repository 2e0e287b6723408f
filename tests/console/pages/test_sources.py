"""Sources: the address for Vrio's four fields, its rotation, the REST key, and samples through the front door."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sandbox.klaviyo import serve_in_thread
from sandbox.vrio import SANDBOX_KEY, create_app, tell_month
from tests.bodies import SALE
from tests.console.pages.conftest import words
from vrio_klaviyo.store.sources import Source, list_sources, source_of_key, webhook_path
from webhooks import vrio

HOSTILE = "<script>alert(1)</script>\"'"
FORM = {"name": "Vitamin shop", "time_zone": "America/New_York", "country": "gb", "currency": "gbp"}
FORM |= {"upcoming_days": "5"}


@pytest.fixture
def source(house) -> Source:
    return house.source


@pytest.fixture
def front_door(app, site) -> None:
    """The way in for webhooks, as the product has it."""
    app.register_blueprint(vrio.blueprint(vrio.Receiver(site.db, site.bells.ring, site.now)))


def now(site, source) -> Source:
    with site.db.read() as session:
        return session.get_one(Source, source.id)


def test_a_new_source_leads_to_the_address_for_vrio(visit, site, house):
    manager = visit("manager")
    answer = manager.post("/sources/new", **FORM)
    with site.db.read() as session:
        found = list_sources(session)[-1]
    assert (found.name, found.time_zone, found.country, found.currency, found.upcoming_days) == (
        "Vitamin shop", "America/New_York", "GB", "GBP", 5,
    )  # fmt: skip
    page = words(manager.get(answer.location))
    assert site.settings.base_url + webhook_path(found, house.vault) in page
    for field in ("Transaction URL", "Order URL", "Order Offer URL", "Shipment URL"):
        assert field in page


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "Vrio"}, "Source name: Another source is called Vrio."),
        ({"name": ""}, "A name has 1 to 80 characters."),
        ({"time_zone": "Mars/Base"}, "Mars/Base is no time zone"),
        ({"country": "USA"}, "USA is no country"),
        ({"currency": "$"}, "$ is no currency"),
        ({"upcoming_days": "soon"}, "Write a whole number of days."),
        ({"upcoming_days": "90"}, "from 1 to 60"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(visit, house, source, wrong, sentence):
    manager = visit("manager")
    assert sentence in words(manager.post("/sources/new", 422, **FORM | wrong).text)
    if wrong != {"name": "Vrio"}:
        assert sentence in words(manager.post(f"/sources/{source.id}/settings", 422, **FORM | wrong).text)
        assert source.time_zone == "UTC"


def test_an_empty_workspace_leads_to_a_source(visit, site, source):
    with site.db.write() as session:
        session.delete(session.get_one(Source, source.id))
    assert "/sources/new" in visit("manager").get("/sources")
    assert "Ask a manager" in words(visit("viewer").get("/sources"))


def test_settings_are_changed_and_noted(visit, site, source):
    manager = visit("manager")
    manager.post(f"/sources/{source.id}/settings", **FORM)
    assert now(site, source).name == "Vitamin shop"
    assert "source.changed" in manager.get("/audit")


def test_the_address_is_for_managers(visit, house, source):
    key = webhook_path(source, house.vault)
    for role in ("viewer", "support"):
        assert key not in visit(role).get(f"/sources/{source.id}")


def test_a_rotated_address_overlaps_for_a_day(visit, site, house, source):
    before = webhook_path(source, house.vault)
    operator = visit("operator")
    operator.post(f"/sources/{source.id}/rotate", when="later")
    page = operator.get(f"/sources/{source.id}")
    assert before not in page
    assert "The address before this one works until" in words(page)
    with site.db.read() as session:
        assert source_of_key(session, before.rpartition("/")[2], site.now()) == source.id


def test_a_rotation_at_once_ends_the_old_address(visit, site, house, source):
    before = webhook_path(source, house.vault)
    operator = visit("operator")
    operator.post(f"/sources/{source.id}/rotate", when="at_once")
    assert "works until" not in words(operator.get(f"/sources/{source.id}"))
    with site.db.read() as session:
        assert source_of_key(session, before.rpartition("/")[2], site.now()) is None


@pytest.mark.usefixtures("front_door")
def test_a_sample_comes_in_by_the_front_door(visit, house, source):
    manager = visit("manager")
    answer = manager.post(f"/sources/{source.id}/sample", sample=SALE)
    page = words(manager.get(answer.location))
    assert "The sample was received." in page
    assert "transaction_completed ○ Received" in page
    again = manager.post(f"/sources/{source.id}/sample", sample=SALE)
    assert "had come in before" in words(manager.get(again.location))
    manager.post(f"/sources/{source.id}/sample", 400, sample="../../secret")


def test_a_sample_that_is_not_received_is_told(visit, source):
    # Without the way in for webhooks.
    answer = (manager := visit("manager")).post(f"/sources/{source.id}/sample", sample=SALE)
    assert "The sample was not received" in words(manager.get(answer.location))


@pytest.fixture(scope="module")
def vrio_url() -> Iterator[str]:
    with serve_in_thread(create_app(tell_month(1, seed=1))) as url:
        yield url


class TestRestKey:
    """With a Vrio that can be asked."""

    @pytest.fixture
    def settings(self, settings, vrio_url):
        return replace(settings, vrio_api_url=vrio_url)

    def test_a_good_key_is_kept_checked_and_forgotten(self, visit, site, source):

        manager, path = visit("manager"), f"/sources/{source.id}/api-key"
        page = manager.get(manager.post(path, api_key=SANDBOX_KEY).location)
        assert "The key is kept. Vrio takes this key." in words(page)
        assert SANDBOX_KEY not in page + manager.get("/audit")
        assert "Vrio takes this key." in words(manager.get(manager.post(f"/sources/{source.id}/check").location))
        manager.post(path, forget="1")
        assert now(site, source).api_key_sealed is None

    def test_a_key_that_vrio_does_not_take_is_not_kept(self, visit, site, source):
        manager = visit("manager")
        answer = manager.post(f"/sources/{source.id}/api-key", api_key="wrong")
        assert "The key was not kept. Vrio does not take this key." in words(manager.get(answer.location))
        assert now(site, source).api_key_sealed is None


def test_a_key_that_could_not_be_checked_is_kept(visit, site, source):
    manager = visit("manager")
    answer = manager.post(f"/sources/{source.id}/api-key", api_key="some-key")
    assert "Vrio could not be asked about the key" in words(manager.get(answer.location))
    assert now(site, source).api_key_sealed is not None


def test_hostile_names_are_text(visit, site, source):
    with site.db.write() as session:
        session.get_one(Source, source.id).name = HOSTILE + "x" * 10_000
    operator = visit("operator")
    for path in ("/sources", f"/sources/{source.id}", f"/sources/{source.id}/rotate"):
        page = operator.get(path)
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        ("support", "get", "/sources/new"), ("support", "post", "/sources/new"),
        ("support", "post", "/sources/{}/settings"), ("support", "post", "/sources/{}/api-key"),
        ("support", "post", "/sources/{}/check"), ("support", "post", "/sources/{}/sample"),
        ("manager", "get", "/sources/{}/rotate"), ("manager", "post", "/sources/{}/rotate"),
    ],
)  # fmt: skip
def test_who_may_do_what(visit, source, role, method, path):
    getattr(visit(role), method)(path.format(source.id), 403)
