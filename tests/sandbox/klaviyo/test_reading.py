"""
The reading endpoints: resources, filters and pages.
"""

import pytest

from sandbox.klaviyo import OTHER_ACCOUNT_KEY


def read(klaviyo, path, key=None, **query):
    names = {"size": "page[size]", "cursor": "page[cursor]"}
    response = klaviyo.http.get(
        path,
        query_string={names.get(name, name): value for name, value in query.items()},
        headers=klaviyo.headers(key) if key else klaviyo.headers(),
    )
    return response.status_code, response.get_json()


@pytest.fixture
def crowd(klaviyo):
    for number in range(25):
        attributes = {"email": f"user{number}@example.com", "external_id": str(number)}
        klaviyo.profile({"data": {"type": "profile", "attributes": attributes}})
    return klaviyo


def test_an_account_tells_its_name_zone_and_currency(klaviyo):
    status, body = read(klaviyo, "/api/accounts", OTHER_ACCOUNT_KEY)

    [account] = body["data"]
    assert (status, account["type"], account["id"]) == (200, "account", "SbxB02")
    assert account["attributes"]["contact_information"]["organization_name"] == "Borealis Skincare"
    assert account["attributes"]["preferred_currency"] == "CAD"
    assert account["attributes"]["public_api_key"] == "SbxB02"
    assert account["attributes"]["timezone"] == "America/Toronto"


def test_lists_have_names(klaviyo):
    _, body = read(klaviyo, "/api/lists", filter='equals(name,"Newsletter")')

    assert [item["attributes"]["name"] for item in body["data"]] == ["Newsletter"]
    assert body["links"]["next"] is None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ('equals(email,"USER7@example.com")', ["user7@example.com"]),
        ("equals(email,'user7@example.com')", ["user7@example.com"]),
        ('equals(external_id,"8")', ["user8@example.com"]),
        ('equals(email,"nobody@example.com")', []),
    ],
)
def test_profiles_are_found_by_an_identifier(crowd, wanted, found):
    status, body = read(crowd, "/api/profiles", filter=wanted)

    assert status == 200
    assert [profile["attributes"]["email"] for profile in body["data"]] == found


def test_pages_follow_their_links_to_the_end(crowd):
    _, first = read(crowd, "/api/profiles")
    second = crowd.get(first["links"]["next"]).get_json()

    assert [len(first["data"]), len(second["data"])] == [20, 5]
    assert second["links"]["next"] is None
    assert len({profile["id"] for profile in first["data"] + second["data"]}) == 25
    _, small = read(crowd, "/api/profiles", size="7")
    assert len(small["data"]) == len(crowd.get(small["links"]["next"]).get_json()["data"]) == 7


@pytest.mark.parametrize(
    ("path", "query", "parameter"),
    [
        ("/api/profiles", {"size": "0"}, "page[size]"),
        ("/api/profiles", {"size": "101"}, "page[size]"),
        ("/api/profiles", {"size": "x"}, "page[size]"),
        ("/api/lists", {"size": "11"}, "page[size]"),
        ("/api/events", {"size": "1001"}, "page[size]"),
        ("/api/profiles", {"cursor": "x"}, "page[cursor]"),
        ("/api/profiles", {"filter": "equals(email,user7@example.com)"}, "filter"),
        ("/api/profiles", {"filter": 'email="user7@example.com"'}, "filter"),
        ("/api/profiles", {"filter": 'equals(colour,"red")'}, "filter"),
        ("/api/profiles", {"limit": "5"}, "limit"),
    ],
)
def test_a_wrong_parameter_is_named(crowd, path, query, parameter):
    status, body = read(crowd, path, **query)

    assert status == 400
    assert body["errors"][0]["source"] == {"parameter": parameter}


def test_events_come_back_in_klaviyos_storage_form(klaviyo, event_body):
    klaviyo.event(event_body)
    _, body = read(klaviyo, "/api/events")

    [event] = body["data"]
    assert event["attributes"]["event_properties"] == {
        "OrderId": "1253",
        "Items": [{"SKU": "VIT-D3", "Quantity": 1}],
        "Gift": False,
        "$event_id": "1668",
        "$value": 29.99,
    }
    assert event["attributes"]["datetime"] == "2026-08-30 11:03:11+00:00"
    related = {name: item["data"]["id"] for name, item in event["relationships"].items()}
    assert len(related["metric"]) == 6
    for name, number in related.items():
        assert len(read(klaviyo, "/api/events", filter=f'equals({name}_id,"{number}")')[1]["data"]) == 1
        assert read(klaviyo, "/api/events", filter=f'equals({name}_id,"other")')[1]["data"] == []


def test_one_account_does_not_see_the_other(crowd):
    assert read(crowd, "/api/profiles", OTHER_ACCOUNT_KEY)[1]["data"] == []
