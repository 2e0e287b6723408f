"""A period's figures: they add up, they compare, and each is of the period and of nobody else."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from tests.bodies import declined
from tests.building import House
from tests.steered import klaviyo_served
from vrio_klaviyo.measuring import LONGEST, Measures, Waited, change, errors, measure
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.inbound import InboundEvent

HOUR = timedelta(hours=1)


@pytest.fixture
def house(house: House) -> House:
    """Ids hold the time of this computer, so the house's clock shows it too."""
    house.clock.now = datetime.now(UTC)
    return house


def measured(house: House, *connections: Connection, since: timedelta = HOUR, until: timedelta = HOUR) -> Measures:
    ids, now = [connection.id for connection in connections], house.clock()
    with house.db.read() as session:
        return measure(session, house.source.workspace_id, ids, now - since, now + until)


def test_the_figures_add_up_to_what_was_opened(house: House, connection: Connection) -> None:
    for number in range(1, 4):
        house.post(declined(number))
    house.take_in()
    house.settle(connection)
    house.post(declined(4, email="john@acme"))
    house.post(declined(5, email="ada@acme.test", customer=302))
    house.take_in()

    found = measured(house, connection)

    totals = found.totals
    assert (totals.accepted, totals.not_sent, totals.failed, totals.waiting) == (3, 1, 0, 1)
    assert (totals.opened, totals.accepted_share) == (5, 1.0)
    assert found.pipeline.webhooks == 5
    assert (found.pipeline.filtered, found.pipeline.deliveries, found.pipeline.retried) == (1, 4, 0)
    assert sum(bar.accepted + bar.failed for bar in found.bars) == 3
    assert found.waited is not None
    assert found.waited.timed == 3
    assert found.oldest_waiting is not None


def test_a_period_has_nothing_of_another_one(house: House, connection: Connection) -> None:
    house.post(declined())
    house.take_in()

    later = measured(house, connection, since=-HOUR, until=3 * HOUR)

    assert later.totals.opened == 0
    # The same length before it has it.
    assert later.before.opened == 1
    assert (change(0, 1), change(3, 2), change(1, 0)) == (-1.0, 0.5, None)


def test_another_connection_s_figures_stay_apart(house: House, connection: Connection) -> None:
    other = house.connect("Other", active=False)
    house.post(declined())
    house.take_in()

    assert measured(house, connection).totals.not_sent == 0
    assert measured(house, other).totals.not_sent == 1
    assert measured(house, connection, other).totals.opened == 2


def test_without_connections_there_is_nothing(house: House) -> None:
    found = measured(house)

    assert (found.totals.opened, found.waited, found.oldest_waiting) == (0, None, None)


@pytest.mark.parametrize("since", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_a_period_as_long_or_as_far_ahead_as_a_date_can_be_is_cut(house: House, since: datetime) -> None:
    now = house.clock()
    with house.db.read() as session:
        found = measure(session, house.source.workspace_id, [], since, now)

    assert now - LONGEST <= found.span.since <= found.span.until == now


def test_bars_end_at_whole_hours_and_cover_the_period(house: House, connection: Connection) -> None:
    bars = measured(house, connection, since=timedelta(hours=24), until=timedelta(0)).bars

    assert all(bar.until.minute == bar.until.second == 0 for bar in bars[:-1])
    assert (bars[0].since, bars[-1].until) == (house.clock() - timedelta(hours=24), house.clock())
    assert [bar.since for bar in bars[1:]] == [bar.until for bar in bars[:-1]]
    assert len(bars) in (24, 25)


def test_how_long_it_took_is_from_the_webhook_to_klaviyo_s_answer(house: House, connection: Connection) -> None:
    for number in range(1, 5):
        house.post(declined(number))
    house.take_in()
    house.settle(connection)
    with house.db.write() as session:
        for seconds, delivery in enumerate(house.deliveries(), 1):
            came = delivery.created_at - timedelta(seconds=1)
            session.execute(update(InboundEvent).values(received_at=came))
            finished = came + timedelta(seconds=seconds)
            session.execute(update(Delivery).where(Delivery.id == delivery.id).values(finished_at=finished))

    assert measured(house, connection).waited == Waited(2.0, 4.0, 4.0, timed=4)


def test_what_a_person_sent_again_does_not_count_as_slow(house: House, connection: Connection) -> None:
    house.post(declined())
    house.take_in()
    house.settle(connection)
    with house.db.write() as session:
        session.execute(update(Delivery).values(queued_at=house.clock() + HOUR, finished_at=house.clock() + HOUR))

    assert measured(house, connection).waited is None


def test_attempts_more_and_refusals_are_counted_by_their_kind(house: House, connection: Connection) -> None:
    with klaviyo_served() as served:
        house.klaviyo_url = served.url
        served.fault("status", status=503)
        served.fault("throttle", retry_after=1)
        house.post(declined())
        house.take_in()
        for _ in range(4):
            house.settle(connection)
            house.clock.advance(seconds=30)

    found = measured(house, connection)

    assert found.totals.accepted == 1
    assert dict(found.pipeline.refused) == {"5xx": 1, "429": 1}
    assert found.pipeline.retried == 2


def test_errors_are_grouped_by_their_cause(house: House, connection: Connection) -> None:
    with klaviyo_served() as served:
        house.klaviyo_url = served.url
        for number in (1, 2):
            served.fault("status", status=400)
            house.post(declined(number))
        house.take_in()
        house.settle(connection)

    with house.db.read() as session:
        (group,) = errors(session, house.source.workspace_id, [connection.id], house.clock() - HOUR)

    assert (group.status, group.cause, group.count) == ("failed", "400 invalid /data", 2)
