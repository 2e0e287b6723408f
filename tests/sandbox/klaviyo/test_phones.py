"""
Bad phone numbers: misshapen ones are always refused, refused ones as the sandbox is told.
"""

import pytest

REFUSED, ACCEPTED = "+15550001234", "+15551234567"
EVENT_POINTER = "/data/attributes/profile/data/attributes/phone_number"
PROFILE_POINTER = "/data/attributes/phone_number"
BULK_POINTER = "/data/attributes/events-bulk-create/data/0/attributes/profile/data/attributes/phone_number"


def pointers(response):
    assert response.status_code == 400
    return [error["source"]["pointer"] for error in response.get_json()["errors"]]


@pytest.fixture
def event(event_body):
    """
    An event for somebody with this number, and with these attributes instead of the e-mail if they are given.
    """

    def make(phone, **others):
        attributes = {"email": "john@example.com"} | others | {"phone_number": phone}
        event_body["data"]["attributes"]["profile"]["data"]["attributes"] = attributes
        return event_body

    return make


@pytest.fixture
def profile():
    return lambda phone: {
        "data": {"type": "profile", "attributes": {"email": "john@example.com", "phone_number": phone}}
    }


@pytest.fixture
def bulk(bulk_body):
    def make(phone):
        entries = bulk_body["data"]["attributes"]["events-bulk-create"]["data"]
        entries[0]["attributes"]["profile"]["data"]["attributes"]["phone_number"] = phone
        return bulk_body

    return make


@pytest.mark.parametrize("mode", ["reject", "partial"])
@pytest.mark.parametrize(
    "phone",
    ["", "5551234567", "15551234567", "+1 555 123 4567", "+1555-1234567", "+123456", "+1234567890123456", "+0123456789",
     "+1555123456x", "+15551234567\n", "\uff0b15551234567", "+1555123\u0664567", 15551234567],
)  # fmt: skip
def test_a_misshapen_number_is_refused_in_every_mode(klaviyo, event, profile, bulk, mode, phone):
    klaviyo.settings(phone_mode=mode)

    assert pointers(klaviyo.event(event(phone))) == [EVENT_POINTER]
    assert pointers(klaviyo.profile(profile(phone))) == [PROFILE_POINTER]
    assert pointers(klaviyo.bulk(bulk(phone))) == [BULK_POINTER]


@pytest.mark.parametrize("phone", [ACCEPTED, "+1234567", "+123456789012345", None])
def test_a_number_of_the_right_shape_passes(klaviyo, event, profile, phone):
    assert klaviyo.event(event(phone)).status_code == 202
    assert klaviyo.profile(profile(phone)).status_code == 200


def test_a_refused_number_costs_the_event_in_reject_mode(klaviyo, event, profile, bulk):
    assert pointers(klaviyo.event(event(REFUSED))) == [EVENT_POINTER]
    assert pointers(klaviyo.profile(profile(REFUSED))) == [PROFILE_POINTER]
    assert pointers(klaviyo.bulk(bulk(REFUSED))) == [BULK_POINTER]
    assert klaviyo.held("profiles") == []


def test_in_partial_mode_an_event_succeeds_without_its_number(klaviyo, event, profile, bulk):
    klaviyo.settings(phone_mode="partial")
    response = klaviyo.event(event(REFUSED))

    assert (response.status_code, response.headers["X-Klaviyo-Partial-Failure"]) == (202, "phone_number")
    assert klaviyo.held("profiles")[0]["attributes"] == {"email": "john@example.com"}
    assert pointers(klaviyo.profile(profile(REFUSED))) == [PROFILE_POINTER]
    assert pointers(klaviyo.bulk(bulk(REFUSED))) == [BULK_POINTER]


def test_in_partial_mode_a_good_number_is_kept_without_a_word(klaviyo, event):
    klaviyo.settings(phone_mode="partial")
    response = klaviyo.event(event(ACCEPTED))

    assert "X-Klaviyo-Partial-Failure" not in response.headers
    assert klaviyo.held("profiles")[0]["attributes"]["phone_number"] == ACCEPTED


def test_a_number_that_is_the_only_identifier_is_never_ignored(klaviyo, event):
    klaviyo.settings(phone_mode="partial")

    assert pointers(klaviyo.event(event(REFUSED, email=None))) == [EVENT_POINTER]
    assert klaviyo.event(event(REFUSED, email=None, external_id="9001")).status_code == 202


def test_the_refused_numbers_can_be_chosen(klaviyo, event):
    klaviyo.settings(refused_phones=[ACCEPTED])
    assert pointers(klaviyo.event(event(ACCEPTED))) == [EVENT_POINTER]
    assert klaviyo.event(event(REFUSED)).status_code == 202

    klaviyo.settings(refused_phones=[])
    assert klaviyo.event(event(ACCEPTED)).status_code == 202


def test_a_number_among_the_properties_is_not_looked_at(klaviyo, event):
    body = event(ACCEPTED, properties={"$phone_number": REFUSED})

    assert klaviyo.event(body).status_code == 202
    assert klaviyo.held("profiles")[0]["attributes"]["properties"] == {"$phone_number": REFUSED}
