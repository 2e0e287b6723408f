"""`flask catalog …`."""

import json

import pytest

from sandbox.klaviyo import GOOD_KEY
from vrio_klaviyo.store.catalog import kept_catalog
from vrio_klaviyo.vrio.catalog_file import FORMAT

SALE = "transaction_completed_sale_subscription_cycle1"


def imported(flask, content, exit_code=0):
    return flask.told("catalog", "import", "-", "--source", "My shop", stdin=content.encode(), exit_code=exit_code)


def properties(flask, metric):
    (delivery,) = flask.listed("delivery", "list", "--event", metric)
    body = flask.told("delivery", "show", delivery["id"])["request"]["body"]
    return json.loads(body)["data"]["attributes"]["properties"]


@pytest.mark.requirement("003-C")
def test_a_catalogue_is_imported_and_counted(flask, shop, tmp_path):
    told = imported(flask, FORMAT)

    assert told == {
        "source": shop.source.id,
        "offers": 1,
        "items": 1,
        "categories": 1,
        "cancel_reasons": 1,
        "intervals": 1,
        "imported_at": told["imported_at"],
    }
    file = tmp_path / "catalogue.json"
    file.write_text(FORMAT)
    by_file = flask.told("catalog", "import", str(file), "--source", shop.source.id, "--workspace", "default")
    assert by_file["offers"] == 1


@pytest.mark.requirement("003-C", "003-33", "003-34", "003-44", "003-49")
def test_what_comes_in_afterwards_is_filled_from_it(flask, shop):
    shop.connect(GOOD_KEY)
    imported(flask, FORMAT.replace('"49": 30', '"49": 45'))

    shop.receive_sample(SALE)

    product = properties(flask, "Ordered Product")
    assert (product["ItemId"], product["ItemName"], product["SKU"]) == ("2", "Vitamin D3", "VIT-D3")
    assert product["ProductCategories"] == ["Supplements", "Bestsellers"]
    assert properties(flask, "Placed Order")["Categories"] == ["Supplements", "Bestsellers"]
    assert properties(flask, "Started Subscription")["OrderIntervalFrequency"] == "45"
    (delivery,) = flask.listed("delivery", "list", "--event", "Placed Order")
    assert not any("No items are listed" in note for note in delivery["notes"])


@pytest.mark.requirement("003-C")
def test_one_bad_entry_and_nothing_is_imported(flask, shop, database):
    imported(flask, FORMAT)
    with database.read() as session:
        before = kept_catalog(session, shop.source.id)
    bad = FORMAT.replace('"price": "29.99"', '"price": "cheap"').replace("Vitamin D3", "Something else")

    result = flask.invoke("catalog", "import", "-", "--source", "My shop", stdin=bad.encode())

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: nothing was imported:\noffers[0].items[0].price is not an amount\n"
    with database.read() as session:
        assert kept_catalog(session, shop.source.id) == before


def test_an_import_takes_the_place_of_the_one_before(flask, shop):
    shop.connect(GOOD_KEY)
    imported(flask, FORMAT)
    imported(flask, "{}")

    shop.receive_sample(SALE)

    assert properties(flask, "Ordered Product")["SKU"] == ""


@pytest.mark.parametrize(
    ("args", "exit_code"),
    [
        (["-", "--source", "Elsewhere"], 3),
        (["nowhere.json", "--source", "My shop"], 2),
        (["-"], 2),
        (["-", "--source", "My shop", "--workspace", "Elsewhere"], 3),
    ],
    ids=["no_such_source", "no_such_file", "no_source", "no_such_workspace"],
)
def test_a_source_and_a_file_are_needed(flask, shop, database, args, exit_code):
    result = flask.invoke("catalog", "import", *args, stdin=FORMAT.encode())

    assert (result.exit_code, result.stdout) == (exit_code, "")
    with database.read() as session:
        assert kept_catalog(session, shop.source.id) is None
