"""
One thing by its number, or a page of all that match.

Source: Vrio's API reference. Our choice, since it could not be read there: the names `date_from` and `date_to` (of the
        day or the second of creation), the paging by `offset` or by `page` from 1, newest first, and 400 for what is
        unknown.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sandbox.vrio.rest.collections import Collection
from sandbox.vrio.rest.refusals import bad_request, not_found
from sandbox.vrio.shapes import Fields
from sandbox.vrio.spelling import spelled
from sandbox.vrio.words import Word
from sandbox.vrio.world import Moment

MOST = 200
LONGEST_RANGE = timedelta(days=31)
PAGING = frozenset({"with", "limit", "offset", "page", "date_from", "date_to"})
FLAGS = {"true": "1", "false": "0", "yes": "1", "no": "0"}


def one(moment: Moment, collection: Collection, number: str, asked: Mapping[str, str]) -> Any:
    """
    The thing with this number, with the expansions that were asked for.

    Raises: Refused.
    """
    _expect(asked, {"with"})
    found = moment.find(collection.record, int(number)) if number.isdecimal() else None
    if found is None:
        raise not_found(f"{collection.name} {number}")
    return spelled(_expanded(moment, collection, found, asked), "rest")


def page(moment: Moment, collection: Collection, asked: Mapping[str, str]) -> Any:
    """
    How many match in all, and some of them.

    Raises: Refused.
    """
    _expect(asked, PAGING | set(collection.filters))
    first, last = _range(asked)
    if not collection.narrowing & asked.keys() and first is None:
        raise bad_request("Without an id, a customer or an e-mail address a date range is needed.")
    limit = _number(asked, "limit", collection.default_limit)
    if not 1 <= limit <= MOST:
        raise bad_request(f"limit must be from 1 to {MOST}.")
    offset = _number(asked, "offset", (max(_number(asked, "page", 1), 1) - 1) * limit)
    found = [told for told in _candidates(moment, collection, asked) if _matches(moment, collection, told, asked)]
    if first and last:
        found = [told for told in found if first <= told.created_at <= last]
    found.sort(key=lambda told: -told.id)
    shown = [_expanded(moment, collection, told, asked) for told in found[offset : offset + limit]]
    return {"total": len(found), collection.name: spelled(shown, "rest")}


def _candidates(moment: Moment, collection: Collection, asked: Mapping[str, str]) -> list[Any]:
    """Those of one customer, where one is named, else all."""
    told = asked.get("customer_id", "")
    return moment.all(collection.record, int(told) if told.isdecimal() else None)


def _expanded(moment: Moment, collection: Collection, told: Any, asked: Mapping[str, str]) -> Fields:
    fields = collection.fields(moment, told)
    for name in filter(None, asked.get("with", "").split(",")):
        if name not in collection.expansions:
            raise bad_request(f"{collection.name} cannot be asked for with {name}.")
        fields[name] = collection.expansions[name](moment, told)
    return fields


def _matches(moment: Moment, collection: Collection, told: Any, asked: Mapping[str, str]) -> bool:
    return all(
        _text(part(moment, told)) in {FLAGS.get(text, text) for text in asked[name].strip().lower().split(",")}
        for name, part in collection.filters.items()
        if name in asked
    )


def _text(value: Any) -> str:
    """What a value looks like in a query; a flag is 1 or 0."""
    match value:
        case Word():
            return str(value.number)
        case bool():
            return "1" if value else "0"
        case _:
            return str(value).lower()


def _range(asked: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    if not {"date_from", "date_to"} & asked.keys():
        return None, None
    try:
        first, last = datetime.fromisoformat(asked["date_from"]), datetime.fromisoformat(asked["date_to"])
    except (KeyError, ValueError):
        raise bad_request("date_from and date_to must be two dates.") from None
    if len(asked["date_to"]) <= len("2026-09-30"):
        last += timedelta(days=1, seconds=-1)
    if not timedelta(0) <= last - first <= LONGEST_RANGE:
        raise bad_request("The date range must be 31 days at most.")
    return first, last


def _number(asked: Mapping[str, str], name: str, default: int) -> int:
    told = asked.get(name)
    if told is None:
        return default
    if not told.isdecimal():
        raise bad_request(f"{name} must be a number.")
    return int(told)


def _expect(asked: Mapping[str, str], known: set[str] | frozenset[str]) -> None:
    if unknown := sorted(asked.keys() - known):
        raise bad_request(f"There is no parameter {', '.join(unknown)} here.")
