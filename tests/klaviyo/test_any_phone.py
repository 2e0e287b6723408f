"""Whatever a phone number is, its event arrives."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bodies import DECLINED, sample
from tests.klaviyo.judges import Sandbox
from tests.klaviyo.made import STYLES, requests_of
from vrio_klaviyo.errors import Answer, PhoneRejected
from vrio_klaviyo.klaviyo.client import PARTIAL_FAILURE, failure_of
from vrio_klaviyo.klaviyo.requests import Known, Request, Style, render

signs = st.text(st.sampled_from("0123456789+-(). x#/٣３\u200e\x00\ud800"), max_size=24)
# These are numbers nearly always, so that what comes after a refusal is tried as well.
likely = st.from_regex(
    r"(\+1|\+44|\+49|00|1|0)? ?[2-9][0-9]{2}[ .-]?[2-9][0-9]{2}[ .-]?[0-9]{4}( x[0-9]{1,3})?", fullmatch=True
)
phones = st.text(max_size=40) | signs | likely
countries = st.sampled_from(["US", "CA", "GB", "DE", "BR", "JP", "---", "XX"])


@pytest.mark.requirement("003-59", "003-60")
def test_whatever_the_phone_is_the_event_arrives() -> None:
    refuses, ignores = (Sandbox(refused_phones=("+1",), phone_mode=mode) for mode in ("reject", "partial"))
    ways: dict[Sandbox, set[str]] = {refuses: set(), ignores: set()}
    sent = []

    @settings(max_examples=1_000, database=None)
    @given(phones, countries, st.sampled_from(STYLES))
    def arrives(phone: str, country: str, style: Style) -> None:
        webhook = sample(DECLINED)
        transaction = webhook["webhook_data"]["transaction"]
        transaction["id"] = str(len(sent) + 1)
        transaction["customer"]["phone"] = phone
        transaction["customer_address_billing"]["country"] = country
        (request,) = requests_of(json.dumps(webhook).encode())
        sent.append(request.unique_id)
        for klaviyo, seen in ways.items():
            seen.add(way_of(klaviyo, request, style))

    arrives()

    assert len(sent) >= 1_000
    assert [klaviyo.event_ids() for klaviyo in ways] == [sent, sent]
    assert ways[refuses] == {"taken", "without", "refused"}
    assert ways[ignores] == {"taken", "without", "ignored"}


def way_of(klaviyo: Sandbox, request: Request, style: Style) -> str:
    """How an event got there: by one call, or by a second one without the phone where the first is refused for it."""
    first = render(request, style, Known())
    answer = klaviyo.answer(first)
    if answer.status_code == 202:
        return "without" if first.phone is None else "ignored" if PARTIAL_FAILURE in answer.headers else "taken"
    failure = failure_of(Answer(answer.status_code, {}, answer.data), has_phone=first.phone is not None)
    assert isinstance(failure, PhoneRejected)
    second = render(request, style, Known(refused_phone=first.phone))
    assert second.phone is None
    assert klaviyo.answer(second).status_code == 202
    return "refused"
