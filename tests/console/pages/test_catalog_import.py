"""Offers and items: imported from a file by who may, all of it or nothing, with each mistake named."""

import json
from io import BytesIO
from typing import Any

import pytest

from console.pages.catalog_import import LARGEST_FILE
from tests.console.pages.conftest import words
from vrio_klaviyo.store.catalog import kept_catalog
from vrio_klaviyo.store.journals import page_of_entries
from vrio_klaviyo.vrio import keeping
from vrio_klaviyo.vrio.catalog import Catalog

VITAMINS = {
    "offers": [
        {
            "offer_id": "1",
            "name": "Monthly Vitamins",
            "items": [{"item_id": "2", "name": "Vitamin D3", "sku": "VIT-D3"}],
        }
    ],
    "cancel_reasons": {"5": "Too expensive"},
}


@pytest.fixture
def address(house) -> str:
    return f"/sources/{house.source.id}/catalog"


def sent(content: Any) -> tuple[BytesIO, str]:
    """A file as a browser sends it."""
    return BytesIO(content if isinstance(content, bytes) else json.dumps(content).encode()), "catalog.json"


def kept(house) -> Catalog | None:
    with house.db.read() as session:
        body = kept_catalog(session, house.source.id)
    return None if body is None else keeping.loads(Catalog, body)


def test_a_file_is_imported_and_told_of(visit, house, address):
    manager = visit("manager")
    assert "Nothing is imported yet." in words(manager.get(address))
    assert "None imported" in words(manager.get(f"/sources/{house.source.id}"))

    manager.post(address, file=sent(VITAMINS))

    page = words(manager.get(address))
    assert "The file is imported: 1 offer with 1 item." in page
    assert "Offers 1 Items 1 Categories 0 Cancel reasons 1 Intervals 0" in page
    assert kept(house).offers[0].items[0].sku == "VIT-D3"
    assert "✓ Imported" in words(manager.get(f"/sources/{house.source.id}"))


def test_an_import_is_written_down(visit, house, address):
    manager = visit("manager")
    manager.post(address, file=sent(VITAMINS))

    with house.db.read() as session:
        entry = page_of_entries(session, house.source.workspace_id, subject=house.source.id).rows[0]
    assert (entry.action, entry.details["items"]) == ("source.catalog_imported", 1)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "No file was chosen, or it is empty."),
        (b"<script>alert(1)</script>", "The catalogue is not a JSON object."),
        ({"offers": [{"name": "Without an id"}]}, "offers[0].offer_id is missing."),
    ],
    ids=["empty", "no_json", "no_id"],
)
def test_a_bad_file_changes_nothing_and_says_why(visit, house, address, content, sentence):
    manager = visit("manager")
    manager.post(address, file=sent(VITAMINS))

    answer = manager.post(address, 422, file=sent(content))

    assert "Nothing was imported." in words(answer.text)
    assert sentence in words(answer.text)
    assert kept(house).offers[0].name == "Monthly Vitamins"


def test_a_file_that_is_too_large_is_not_read_to_its_end(visit, house, address):
    manager = visit("manager")
    parts = {"csrf_token": manager.token(), 'file"; filename="catalog.json': " " * (LARGEST_FILE + 1)}
    body = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{part}\r\n' for name, part in parts.items()
    )

    answer = manager.client.post(address, data=f"{body}--x--\r\n", content_type="multipart/form-data; boundary=x")

    assert answer.status_code == 422
    assert "The file is over 5 MiB." in answer.text
    assert kept(house) is None


def test_a_form_without_a_file_is_refused(visit, house, address):
    assert "No file was chosen" in visit("manager").post(address, 422).text
    assert kept(house) is None


def test_of_many_mistakes_the_first_are_told(visit, address):
    many = {"offers": [{"offer_id": f"<b>{number}</b>"} for number in range(30)] * 2}

    answer = visit("manager").post(address, 422, file=sent(many))

    assert "and 10 more." in words(answer.text)
    assert "<b>" not in answer.text


def test_only_managers_import(visit, address):
    support = visit("support")
    support.get(address, 403)
    support.post(address, 403, file=sent(VITAMINS))
    assert "Import a file" not in support.get(address.removesuffix("/catalog"))
