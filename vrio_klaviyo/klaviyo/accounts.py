"""A Klaviyo account as Klaviyo describes it: which one it is, its name, zone and currency, and whether it is a test."""

import json
from dataclasses import dataclass
from typing import Any

from vrio_klaviyo.errors import Answer, CallFailed


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """
    What a key was told of its account.

    Shape:  klaviyo_id is None when it was not told. All else is only for a key that may read it: "", and None for
            is_test, when it may not. time_zone is Klaviyo's name of it, such as US/Eastern, currency three letters.
    """

    klaviyo_id: str | None = None
    name: str = ""
    time_zone: str = ""
    currency: str = ""
    is_test: bool | None = None


def account_of_key(told: Answer | CallFailed) -> Account:
    """
    The account of which Klaviyo told when it was asked for it.

    Source: Klaviyo's reference, "Get Accounts", and its answer to a key without accounts:read as recorded.
    """
    if isinstance(told, CallFailed):
        # Klaviyo: this header names the account also when the key may not read it.
        return Account(klaviyo_id=told.answer.headers.get("cid") if told.answer else None)
    account = account_in(told) or {}
    attributes = _object(account.get("attributes"))
    is_test = attributes.get("test_account")
    return Account(
        klaviyo_id=account.get("id"),
        name=_text(_object(attributes.get("contact_information")).get("organization_name")),
        time_zone=_text(attributes.get("timezone")),
        currency=_text(attributes.get("preferred_currency")),
        is_test=is_test if isinstance(is_test, bool) else None,
    )


def account_in(answer: Answer) -> dict[str, Any] | None:
    """The account of a JSON:API answer; None when it is something else, such as the page of a proxy."""
    try:
        account = json.loads(answer.body)["data"][0]
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    return account if isinstance(account, dict) and isinstance(account.get("id"), str) else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
