"""
How JSON becomes records: what a body must be, and how a thing is read whose parts may be unreadable.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, missing

from vrio_klaviyo.errors import UnreadableWebhook
from vrio_klaviyo.vrio.fields import MISSING, Id, Unreadable, VrioField, identity

# An order has a handful of lines; a hostile body of a megabyte could name a hundred thousand.
MOST_PARTS = 500
MOST_NOTES = 20
# Python turns no text of more than 4,300 digits into an integer; nothing that we read has more than 18.
_LONGEST_INTEGER = 18
_LONGEST_NUMBER = 40


class RecordSchema(Schema):
    """
    Reads one Vrio thing.

    Shape:  `thing` is its name in `<thing>_id`, which newer webhooks and REST write where older ones write `id`.
    """

    thing: str = ""
    record: ClassVar[type[Any]]

    class Meta:
        unknown = EXCLUDE

    def read(self, data: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        """
        What the thing says, and what could not be read of it.

        Shape:  (record, {field: [why]}), nested as the thing is. The record is made here and not after loading, because
                marshmallow leaves that step out as soon as one field is bad.
        """
        if self.thing and not (isinstance(data.get("id"), str) and identity(data["id"])):
            data = {**data, "id": identity(data.get("id")) or identity(data.get(f"{self.thing}_id"))}
        unreadable: Mapping[str, Any] = {}
        try:
            values = self.load(data)
        except ValidationError as error:
            values, unreadable = error.valid_data, error.messages_dict
        return self.made_of(values), unreadable

    def made_of(self, values: dict[str, Any]) -> Any:
        """The record of these values; absent ones are not among them."""
        return self.record(**values)


class Reference(RecordSchema):
    """Another thing of which only the id matters here."""

    reference = Id(data_key="id")

    def __init__(self, thing: str) -> None:
        super().__init__()
        self.thing = thing

    def made_of(self, values: dict[str, Any]) -> str:
        return str(values.get("reference", ""))


class Part(VrioField):
    """A thing inside another one. Vrio: in there it need not have an id."""

    def __init__(self, schema: RecordSchema, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.schema = schema

    def read(self, value: Any) -> Any:
        # Vrio: an object without members is an empty list in PHP.
        if value == {} or value == []:
            return missing
        if not isinstance(value, dict):
            raise Unreadable("is not an object: left out")
        record, unreadable = self.schema.read(value)
        unreadable = {name: why for name, why in unreadable.items() if why != [MISSING]}
        if unreadable:
            raise Unreadable(unreadable, instead=record)
        return record


class Parts(Part):
    """A list of things; one that cannot be read is left out."""

    def read(self, value: Any) -> Any:
        # Vrio: a list from which something was taken is an object in PHP, whose names are numbers.
        if isinstance(value, dict) and all(name.isdecimal() for name in value):
            value = list(value.values())
        if not isinstance(value, list):
            raise Unreadable("is not a list: left out")
        records: list[Any] = []
        unreadable: dict[int, Any] = {}
        for index, thing in enumerate(value[:MOST_PARTS]):
            try:
                record = super().read(thing)
                if record is not missing:
                    records.append(record)
            except Unreadable as error:
                unreadable[index] = error.messages
                left: Any = error.valid_data
                if left is not None and left is not missing:
                    records.append(left)
        if len(value) > MOST_PARTS:
            unreadable[MOST_PARTS] = [f"and what follows is more than {MOST_PARTS} entries: left out"]
        if unreadable:
            raise Unreadable(unreadable, instead=tuple(records))
        return tuple(records)


def parsed(body: bytes) -> dict[str, Any]:
    """
    The JSON object in a body.

    Shape:  numbers as int or Decimal, but for those that are too long for any use, which stay text. A byte that is no
            UTF-8 costs that letter only.
    Raises: UnreadableWebhook, when it is not JSON, not an object, or nested deeper than anything that has a meaning.
    """
    try:
        found = json.loads(
            body.decode(json.detect_encoding(body), "replace"),
            parse_int=_integer,
            parse_float=_decimal,
            parse_constant=str,
        )
    except RecursionError as error:
        raise UnreadableWebhook("The body is nested too deeply.") from error
    except ValueError as error:
        raise UnreadableWebhook("The body is not JSON.") from error
    if not isinstance(found, dict):
        raise UnreadableWebhook("The body is not a JSON object.")
    return found


def notes(unreadable: Mapping[Any, Any]) -> tuple[str, ...]:
    """What `RecordSchema.read` could not read, a sentence each; of very many only the first."""
    found = list(_sentences(unreadable, ""))
    if len(found) > MOST_NOTES:
        found = [*found[:MOST_NOTES], f"{len(found) - MOST_NOTES} more fields could not be read."]
    return tuple(found)


def _sentences(unreadable: Mapping[Any, Any], path: str) -> Iterator[str]:
    for name, why in unreadable.items():
        here = f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}".strip(".")
        if isinstance(why, dict):
            yield from _sentences(why, here)
        else:
            yield from (f"{here} {reason}." for reason in why)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else digits


def _decimal(digits: str) -> Decimal | str:
    if len(digits) > _LONGEST_NUMBER:
        return digits
    try:
        return Decimal(digits)
    except InvalidOperation:
        return digits
