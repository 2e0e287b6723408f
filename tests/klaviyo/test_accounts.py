"""A Klaviyo account: as much as Klaviyo tells of it, and nothing made up where it tells something else."""

import json
from typing import Any

import pytest

from vrio_klaviyo.errors import Answer, NotAuthorized
from vrio_klaviyo.klaviyo.accounts import Account, account_in, account_of_key

ATTRIBUTES = {
    "test_account": False,
    "contact_information": {"organization_name": "Acme Supplements"},
    "timezone": "US/Eastern",
    "preferred_currency": "USD",
}


def answer(account: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status=status, headers=headers, body=json.dumps({"data": [account]}).encode())


def test_an_account_is_told_whole() -> None:
    told = account_of_key(answer({"type": "account", "id": "AbC123", "attributes": ATTRIBUTES}))

    assert told == Account(
        klaviyo_id="AbC123", name="Acme Supplements", time_zone="US/Eastern", currency="USD", is_test=False
    )


@pytest.mark.parametrize(
    "attributes",
    [
        None,
        [],
        {},
        {"contact_information": "Acme", "timezone": None, "preferred_currency": 840, "test_account": "no"},
        {"contact_information": {"organization_name": None}},
    ],
)
def test_what_is_not_as_expected_is_not_told(attributes: Any) -> None:
    assert account_of_key(answer({"id": "AbC123", "attributes": attributes})) == Account(klaviyo_id="AbC123")


def test_a_key_that_may_not_read_its_account_is_told_its_id() -> None:
    refused = NotAuthorized("403", answer=Answer(status=403, headers={"cid": "AbC123"}, body=b"{}"))

    assert account_of_key(refused) == Account(klaviyo_id="AbC123")
    assert account_of_key(NotAuthorized("401")) == Account()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data": []}', b'{"data": [{"id": 5}]}', b"[" * 100_000])
def test_an_answer_without_an_account_has_none(body: bytes) -> None:
    assert account_in(Answer(status=200, headers={}, body=body)) is None
