"""Health: each part with its state; what was found and what to do only for who may do it."""

from tests.console.pages.conftest import words


def test_an_operator_reads_what_is_wrong_and_what_to_do(visit):
    page = words(visit("operator").get("/health"))
    assert "None runs, so nothing is read and nothing sent. flask worker" in page
    assert "At fault" in page


def test_what_works_is_said_to_work(visit):
    page = words(visit("operator").get("/health"))
    assert "Migrations ✓ OK" in page
    assert "Redis ✓ OK" in page


def test_others_see_that_something_is_wrong_and_whom_to_tell(visit):
    page = words(visit("viewer").get("/health"))
    assert "Worker ✕ At fault Tell your operator" in page
    assert "flask worker" not in page


def test_a_redis_that_is_away_is_a_fault_and_no_error(visit, redis_server):
    operator = visit("operator")
    redis_server.stop()
    assert "Redis ✕ At fault" in words(operator.get("/health"))
