"""Every process may be killed at any commit: just before it and just after it."""

from functools import partial

from tests.faults.town import SET_ASIDE, Town
from tests.faults.vrio import mixed
from tests.product import wait_until

# One life of a worker, from its start through a sale's intake and sending to its next idle moment, has some thirty.
WORKER_MOMENTS = 30
CLOCK_MOMENTS = 6


def test_a_worker_is_killed_at_every_commit(town: Town) -> None:
    town.product.start("web", "clock")
    posted = 0

    def goes_on() -> bool:
        """Whether it has died; as long as it has not, it gets more to do, also when something is set aside by now."""
        nonlocal posted
        if not fate.is_met and town.at_rest(*SET_ASIDE):
            posted += 1
            # Now and then not only a sale.
            town.vrio.insist(mixed([posted]) if posted % 4 == 1 else [posted])
        return fate.is_met

    for moment in range(1, WORKER_MOMENTS + 1):
        fate = town.dies_at(moment, "worker")
        wait_until(goes_on, partial(town.tell, f"the worker dies at moment {moment}"))
        wait_until(town.product.ended, "it is gone")
    town.product.start("worker")
    # The moments shift a little from life to life, so that three in a row may hit the same webhook.
    town.take_up_again()
    town.keeps_its_promise()


def test_a_web_process_is_killed_at_every_commit(town: Town) -> None:
    """Where nobody posts again, what was stored without an answer may go or not; where Vrio does, it goes once."""
    for moment in (1, 2):
        fate = town.dies_at(moment, "web")
        town.vrio.post(moment)
        assert fate.is_met
        town.product.kill("web")
    for moment in (3, 4):
        fate = town.dies_at(moment, "web")
        town.vrio.insist(range(10 * moment, 10 * moment + 3))
        assert fate.is_met
        town.product.kill("web")
    town.product.start("worker", "clock")
    town.keeps_its_promise()
    assert town.vrio.doubtful == {1, 2}


def test_a_clock_is_killed_at_every_commit(town: Town) -> None:
    """Everything that is posted is stranded: the bells are lost with what Redis held."""
    town.product.start("web")
    for moment in range(1, CLOCK_MOMENTS + 1):
        town.vrio.insist([moment])
        town.flush_redis()
        town.dies_at(moment, "clock").wait(f"the clock dies at moment {moment}")
        wait_until(town.product.ended, "it is gone")
    town.product.start("worker", "clock")
    town.keeps_its_promise()


def test_all_are_killed_at_once(town: Town) -> None:
    """Before anything was looked at, and twice in the middle of sending."""
    town.product.start("web")
    town.klaviyo.settings(latency_ms=50)
    town.vrio.insist(mixed(range(1, 8)))
    town.product.kill("web")
    for arrived in (1, 11):
        town.product.start("worker", "clock")
        wait_until(lambda arrived=arrived: len(town.klaviyo.events()) >= arrived, f"{arrived} events have arrived")
        town.product.kill("worker", "clock")
    town.product.start("web", "worker", "clock")
    town.vrio.insist(mixed([8]))
    town.keeps_its_promise()
