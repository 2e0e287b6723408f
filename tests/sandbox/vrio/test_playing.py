"""The sending: bursts of five minutes, and what goes wrong with them when it is meant to."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from sandbox.vrio import SMOOTH, UNRULY, bursts, play, tell_month
from sandbox.vrio.playing import BURST
from sandbox.vrio.webhooks import body


@pytest.fixture(scope="module")
def small():
    return tell_month(60, seed=5)


def identity(sent):
    webhook = json.loads(sent)
    return webhook["webhook_type"], str(webhook["webhook_event_id"])


def test_everything_is_sent_once_in_order_five_minutes_later_at_most(small):
    facts = [fact for fact in small.facts if fact.at >= small.opened_at]
    sent = [(burst.at, told) for burst in bursts(small) for told in burst.bodies]

    assert [told for _, told in sent] == [body(small, fact, "v1") for fact in facts]
    assert all(fact.at < at <= fact.at + BURST for fact, (at, _) in zip(facts, sent, strict=True))
    assert all((at - small.opened_at) % BURST == BURST * 0 for at, _ in sent)


def test_an_unruly_sending_is_the_same_each_time_and_loses_nothing(small):
    sent = [told for burst in bursts(small, UNRULY) for told in burst.bodies]

    assert sent == [told for burst in bursts(small, UNRULY) for told in burst.bodies]
    assert sent != [told for burst in bursts(small, replace(UNRULY, seed=1)) for told in burst.bodies]
    assert {identity(told) for told in sent} == {identity(told) for burst in bursts(small) for told in burst.bodies}


def test_doubled_webhooks_differ_in_the_type_of_their_id_at_most(small):
    by_identity = {}
    for burst in bursts(small, UNRULY):
        for told in burst.bodies:
            by_identity.setdefault(identity(told), []).append(told)
    doubled = [told for told in by_identity.values() if len(told) > 1]

    assert {len(told) for told in doubled} == {2}
    assert {first == second for first, second in doubled} == {True, False}
    for told in doubled:
        first, second = (json.loads(one) | {"webhook_event_id": None} for one in told)
        assert first == second


def test_webhooks_come_late_and_in_another_order(small):
    in_order = [identity(told) for burst in bursts(small) for told in burst.bodies]
    places = [in_order.index(identity(told)) for burst in bursts(small, UNRULY) for told in burst.bodies]

    assert places != sorted(places)
    assert max(max(places[:at]) - places[at] for at in range(1, len(places))) > 20


def test_a_spared_type_comes_once_and_in_order(small):
    plan = replace(UNRULY, late=0.5, doubled=0.5, spared=frozenset({"order_offer"}))
    places = [
        json.loads(told)["webhook_event_id"]
        for burst in bursts(small, plan)
        for told in burst.bodies
        if b'"webhook_type": "order_offer"' in told
    ]

    assert places == sorted(set(places))
    assert Counter(type(place) for place in places).keys() == {int}


def test_the_world_moves_along_and_ends_at_its_end(small):
    seen = []

    assert play(small, lambda sent: seen.append(small.now)) == len(seen)
    assert seen == sorted(seen)
    assert seen[0] < small.opened_at + 300 * BURST < seen[-1]
    assert small.now == small.ends_at


def test_a_sending_that_breaks_off_leaves_the_world_at_its_end(small):
    def post(sent):
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        play(small, post, SMOOTH)
    assert small.now == small.ends_at
