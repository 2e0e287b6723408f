"""The check of a key for Vrio's REST API: what Vrio says, in a sentence."""

import pytest
import responses

from vrio_klaviyo.calling import new_session
from vrio_klaviyo.connecting import Verdict
from vrio_klaviyo.vrio_key import check_vrio_key

VRIO = "https://vrio.test"


def checked(key="a-key", **answer):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as vrio, new_session() as http:
        vrio.get(f"{VRIO}/customers/0", **answer)
        return check_vrio_key(http, f"{VRIO}/", key)


def error(code):
    return {"error": {"code": code, "message": ""}}


def test_who_is_told_that_there_is_nobody_may_ask():
    assert checked(status=404, json=error("not_found")).verdict == Verdict.ACCEPTED


def test_any_answer_of_vrios_shows_that_the_key_is_good():
    assert checked(status=200, json={"customer_id": 1}).verdict == Verdict.ACCEPTED


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_vrio_refuses_is_rejected(status):
    found = checked(status=status, json=error("unauthorized"))
    assert found.verdict == Verdict.REJECTED
    assert found.sentence.startswith("Vrio does not take this key.")


def test_a_key_that_no_header_can_carry_is_rejected():
    assert checked("two words", status=404, json=error("not_found")).verdict == Verdict.REJECTED


def test_a_vrio_that_cannot_answer_says_nothing_of_the_key():
    found = checked(status=503)
    assert found.verdict == Verdict.UNKNOWN
    assert found.sentence.startswith("Vrio could not be asked about the key: 503")
