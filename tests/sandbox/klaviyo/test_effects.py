"""
What accepted requests do: people are found, created and changed, and an event counts once.
"""

import pytest

from sandbox.klaviyo import OTHER_ACCOUNT_KEY


def attributes(body):
    return body["data"]["attributes"]


def person(event_body):
    return event_body["data"]["attributes"]["profile"]["data"]["attributes"]


def upsert(klaviyo, meta=None, **attributes):
    data = {"type": "profile", "attributes": attributes} | ({"meta": {"patch_properties": meta}} if meta else {})
    return klaviyo.profile({"data": data})


def test_an_event_is_held_as_it_was_sent(klaviyo, event_body):
    sent = attributes(event_body)
    klaviyo.event(event_body)

    [event] = klaviyo.held()
    assert {name: event[name] for name in ("unique_id", "value", "value_currency", "backfill", "properties")} == {
        name: sent[name] for name in ("unique_id", "value", "value_currency", "backfill", "properties")
    }
    assert (event["metric"], event["email"], event["via"]) == ("Placed Order", "john@example.com", "single")
    assert event["time"] == "2026-08-30T11:03:11+00:00"


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        ("2026-08-30T11:03:11.999Z", "2026-08-30T11:03:11+00:00"),
        ("2026-08-30T11:03:11-04:00", "2026-08-30T15:03:11+00:00"),
        ("2026-08-30T11:03:11", "2026-08-30T11:03:11+00:00"),
        (None, "2026-08-30T12:00:00+00:00"),
    ],
)
def test_a_time_is_cut_to_the_second(klaviyo, clock, event_body, sent, held):
    clock.advance(0.6)
    attributes(event_body)["time"] = sent
    klaviyo.event(event_body)

    assert [event["time"] for event in klaviyo.held()] == [held]


def test_the_first_of_two_equal_events_wins_and_the_second_is_swallowed(klaviyo, event_body, bulk_body):
    klaviyo.event(event_body)
    attributes(event_body)["value"] = 99
    assert klaviyo.event(event_body).status_code == 202

    [event] = klaviyo.held()
    assert (event["value"], event["repeats"]) == (29.99, 1)

    event_of_john = bulk_body["data"]["attributes"]["events-bulk-create"]["data"][0]["attributes"]["events"]["data"][0]
    event_of_john["attributes"]["unique_id"] = "1668"
    assert klaviyo.bulk(bulk_body).status_code == 202
    assert klaviyo.held(unique_id="1668")[0]["repeats"] == 2
    assert len(klaviyo.held()) == 4


@pytest.mark.parametrize(
    "change",
    [
        lambda body: attributes(body).update(unique_id="1669"),
        lambda body: attributes(body)["metric"]["data"]["attributes"].update(name="placed order"),
        lambda body: person(body).update(email="jane@example.com", phone_number=None),
    ],
)
def test_another_id_metric_or_person_makes_another_event(klaviyo, event_body, change):
    klaviyo.event(event_body)
    change(event_body)
    klaviyo.event(event_body)

    assert len(klaviyo.held()) == 2


def test_without_a_unique_id_two_events_of_one_second_collapse(klaviyo, event_body):
    del attributes(event_body)["unique_id"]
    for time in ("2026-08-30T11:03:11.100Z", "2026-08-30T11:03:11.900Z", "2026-08-30T11:03:12Z"):
        attributes(event_body)["time"] = time
        klaviyo.event(event_body)

    assert [event["repeats"] for event in klaviyo.held()] == [1, 0]


def test_another_account_has_its_own_people_and_events(klaviyo, event_body):
    klaviyo.event(event_body)
    klaviyo.event(event_body, key=OTHER_ACCOUNT_KEY)

    assert [event["account"] for event in klaviyo.held()] == ["SbxA01", "SbxB02"]
    assert len(klaviyo.held("profiles")) == 2


def test_a_bulk_job_makes_every_event_and_patches_each_person_once(klaviyo, bulk_body):
    assert klaviyo.bulk(bulk_body).data == b""

    people = {profile["attributes"]["email"]: profile for profile in klaviyo.held("profiles")}
    assert {email: len(profile["events"]) for email, profile in people.items()} == {
        "john@example.com": 2,
        "jane@example.com": 2,
    }
    assert people["jane@example.com"]["attributes"]["properties"] == {"tags": ["buyer"]}
    assert {event["via"] for event in klaviyo.held()} == {"bulk"}


def test_profile_import_answers_201_then_200_with_the_profile(klaviyo, profile_body):
    created = klaviyo.profile(profile_body)
    attributes(profile_body)["email"] = "JOHN@example.com"
    attributes(profile_body)["first_name"] = "Johnny"
    updated = klaviyo.profile(profile_body)

    assert (created.status_code, updated.status_code) == (201, 200)
    resource = updated.get_json()["data"]
    assert resource["id"] == created.get_json()["data"]["id"]
    assert len(resource["id"]) == 26
    assert resource["id"].startswith("01")
    assert resource["type"] == "profile"
    assert resource["attributes"]["first_name"] == "Johnny"
    assert resource["attributes"]["location"]["city"] == "New York"
    assert resource["attributes"]["properties"]["$phone_number"] == "not a number"


def test_an_absent_attribute_stays_and_null_clears(klaviyo):
    upsert(klaviyo, email="john@example.com", first_name="John", last_name="Doe", properties={"CLV": 0, "Tier": "gold"})
    upsert(klaviyo, email="john@example.com", last_name=None, properties={"Tier": None, "New": [1]})

    [profile] = klaviyo.held("profiles")
    assert profile["attributes"] == {
        "email": "john@example.com",
        "first_name": "John",
        "properties": {"CLV": 0, "New": [1]},
    }


def test_a_location_merges_by_member(klaviyo):
    upsert(klaviyo, email="john@example.com", location={"city": "Oslo", "zip": "0150", "country": "Norway"})
    upsert(klaviyo, email="john@example.com", location={"city": "Bergen", "zip": None})

    assert klaviyo.held("profiles")[0]["attributes"]["location"] == {"city": "Bergen", "country": "Norway"}


def test_patches_append_unappend_and_unset(klaviyo):
    upsert(klaviyo, email="john@example.com", properties={"skus": "A", "old": [1, 2, 1], "gone": 1, "gone too": 2})
    patch = {"append": {"skus": ["B", "C"], "new": 1}, "unappend": {"old": 1}, "unset": ["gone", "gone too", "never"]}
    upsert(klaviyo, patch, email="john@example.com")

    assert klaviyo.held("profiles")[0]["attributes"]["properties"] == {"skus": ["A", "B", "C"], "new": [1], "old": [2]}


def test_an_event_updates_the_profile_even_when_it_is_a_repeat(klaviyo, event_body):
    klaviyo.event(event_body)
    person(event_body)["properties"] = {"CLV": 1.0}
    klaviyo.event(event_body)

    assert klaviyo.held("profiles")[0]["attributes"]["properties"] == {"CLV": 1.0}


@pytest.mark.parametrize("shared", [{"phone_number": "+15551234567"}, {"external_id": "9001"}])
def test_an_identifier_of_somebody_else_is_a_conflict_for_a_profile(klaviyo, shared):
    jane = upsert(klaviyo, email="jane@example.com", **shared).get_json()["data"]["id"]
    upsert(klaviyo, email="john@example.com", first_name="John")

    for email in ("john@example.com", "new@example.com"):
        response = upsert(klaviyo, email=email, first_name="Nobody", **shared)
        [error] = response.get_json()["errors"]
        assert (response.status_code, error["code"]) == (409, "duplicate_profile")
        assert error["source"] == {"pointer": "/data/attributes"}
        assert error["meta"] == {"duplicate_profile_id": jane}
    assert {profile["attributes"].get("first_name") for profile in klaviyo.held("profiles")} == {None, "John"}
    assert len(klaviyo.held("profiles")) == 2


def test_an_event_with_a_number_of_somebody_else_leaves_it_with_its_owner(klaviyo, event_body):
    upsert(klaviyo, email="jane@example.com", phone_number="+15551234567")
    assert klaviyo.event(event_body).status_code == 202

    people = {profile["attributes"]["email"]: profile for profile in klaviyo.held("profiles")}
    assert "phone_number" not in people["john@example.com"]["attributes"]
    assert len(people["john@example.com"]["events"]) == 1
    assert people["jane@example.com"]["attributes"]["phone_number"] == "+15551234567"


def test_a_person_known_by_number_only_gets_the_email(klaviyo):
    first = upsert(klaviyo, phone_number="+15551234567")
    second = upsert(klaviyo, phone_number="+15551234567", email="john@example.com")

    assert (first.status_code, second.status_code) == (201, 200)
    assert upsert(klaviyo, email="john@example.com").get_json()["data"]["id"] == first.get_json()["data"]["id"]


def test_a_cleared_number_is_free_again(klaviyo):
    upsert(klaviyo, email="jane@example.com", phone_number="+15551234567")
    upsert(klaviyo, email="jane@example.com", phone_number=None)

    assert upsert(klaviyo, email="john@example.com", phone_number="+15551234567").status_code == 201


def test_a_wrong_profile_id_loses_an_event_silently_and_refuses_a_profile(klaviyo, event_body, profile_body):
    event_body["data"]["attributes"]["profile"]["data"]["id"] = "01H0000000000000000000NONE"
    profile_body["data"]["id"] = "01H0000000000000000000NONE"

    assert klaviyo.event(event_body).status_code == 202
    assert klaviyo.profile(profile_body).status_code == 404
    assert klaviyo.held() == klaviyo.held("profiles") == []


def test_a_right_profile_id_finds_the_profile(klaviyo, event_body):
    profile_id = upsert(klaviyo, email="jane@example.com").get_json()["data"]["id"]
    event_body["data"]["attributes"]["profile"]["data"] |= {"id": profile_id, "attributes": {}}
    klaviyo.event(event_body)

    assert [event["email"] for event in klaviyo.held()] == ["jane@example.com"]


@pytest.mark.parametrize(
    ("email", "kept"), [("a@Example.com", 0), ("a@test.com", 0), ("a@mail.example.com", 1), ("a@b.co", 1)]
)
def test_test_domains_are_dropped_on_request_only(klaviyo, event_body, email, kept):
    person(event_body)["email"] = email
    klaviyo.settings(drop_test_domains=True)
    assert klaviyo.event(event_body).status_code == 202
    assert len(klaviyo.held()) == len(klaviyo.held("profiles")) == kept

    klaviyo.settings(drop_test_domains=False)
    klaviyo.event(event_body)
    assert len(klaviyo.held()) == 1
