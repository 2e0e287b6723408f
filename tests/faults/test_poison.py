"""One bad thing delays nobody else."""

from tests.faults.owing import owe
from tests.faults.promise import look
from tests.faults.town import Town
from tests.faults.vrio import sale
from tests.product import PATIENCE_S, wait_until

POISON = "a word that kills"
HEAP = 1500


def test_a_webhook_that_kills_its_workers_is_set_aside_and_the_others_go(town: Town) -> None:
    town.product.start("web", "clock")
    town.vrio.insist(range(1, 4))
    assert town.vrio.post(4, sale(4, first_name=POISON))
    town.vrio.insist(range(5, 9))

    def is_over() -> bool:
        """Whether all is done by a worker that somebody starts again and again."""
        if town.product.ended():
            town.start_with("worker", FAULT_DIES_OF=POISON)
        return town.at_rest("failed")

    town.start_with("worker", FAULT_DIES_OF=POISON)
    wait_until(is_over, "everything but the poison has gone")
    town.keeps_its_promise(still=("failed",))
    status, reason = look(town.db, town.klaviyo.url).inbound[4]
    assert (status, bool(reason)) == ("failed", True)

    town.product.kill("worker")
    town.product.start("worker")
    town.take_up_again()
    town.keeps_its_promise()


def test_a_webhook_that_hangs_its_workers_in_c_is_set_aside_and_the_others_go(town: Town) -> None:
    """No time limit that Python keeps can end that: the process has to, and whoever supervises it starts another."""
    faults = {"FAULT_HANGS_AT": POISON, "FAULT_ENDED_AFTER_S": "8"}
    town.product.start("web", "clock")
    town.vrio.insist(range(1, 3))
    assert town.vrio.post(3, sale(3, first_name=POISON))
    town.vrio.insist(range(4, 7))
    ended = 0

    def is_over() -> bool:
        nonlocal ended
        if town.product.ended():
            ended += 1
            town.start_with("worker", **faults)
        return town.at_rest("failed")

    town.start_with("worker", **faults)
    wait_until(is_over, "everything but the poison has gone", seconds=4 * PATIENCE_S)
    assert ended >= 3
    town.keeps_its_promise(still=("failed",))
    status, reason = look(town.db, town.klaviyo.url).inbound[3]
    assert (status, bool(reason)) == ("failed", True)


def test_a_body_that_klaviyo_always_refuses_fails_alone(town: Town) -> None:
    event = ("Placed Order", "200002")
    town.klaviyo.fault("status", status=400, match={"unique_id": event[1]}, times=None)
    town.product.start("web", "worker", "clock")
    town.vrio.insist(range(1, 6))
    town.keeps_its_promise(still=("failed",))
    ((status, reason),) = look(town.db, town.klaviyo.url).deliveries[event]
    assert (status, bool(reason)) == ("failed", True)


def test_a_customer_with_thousands_of_deliveries_delays_nobody(town: Town) -> None:
    town.product.start("web")
    town.klaviyo.settings(latency_ms=5)
    town.vrio.insist([1])
    owe(town, "heap", range(HEAP))
    town.product.start("worker", "clock")
    town.vrio.insist(range(2, 7))
    town.keeps_its_promise()
    wanted = [f'"{200_000 + number}"' for number in range(1, 7)]
    asked = [any(unique_id in request["body"] for unique_id in wanted) for request in town.klaviyo.requests()]
    # How many went out before the last of the others, singly or in bulk.
    assert len(asked) - 1 - asked[::-1].index(True) < HEAP / 10
