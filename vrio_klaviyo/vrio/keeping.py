"""Records as kept in the memory: JSON that comes back as the same frozen values."""

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

R = TypeVar("R")


def dumps(record: object) -> bytes:
    """The record without the fields that hold their default: what Vrio did not say takes no room."""
    return json.dumps(_plain(record), ensure_ascii=False, separators=(",", ":")).encode()


def loads(kind: type[R], kept: bytes) -> R:
    """
    The record that `dumps` wrote.

    Shape:  a field that this version no longer knows is left out, a field that it has newly holds its default.
    """
    hint: Any = kind
    record: R = _reviver(hint)(json.loads(kept))
    return record


def over(newer: R, older: R) -> R:
    """What the newer of two records says, and where it says nothing, what the older one does."""
    kind: Any = type(newer)
    said = {name: own for name, default in _defaults(kind) if (own := getattr(newer, name)) != default}
    record: Any = older
    both: R = dataclasses.replace(record, **said)
    return both


def _plain(value: Any) -> Any:
    match value:
        case None | str() | bool() | int():
            return value
        case Decimal():
            return str(value)
        case date():  # a datetime is one too
            return value.isoformat()
        case Mapping():
            return {name: _plain(part) for name, part in value.items()}
        case tuple() | list():
            return [_plain(part) for part in value]
    kind: Any = type(value)
    parts = ((name, getattr(value, name), default) for name, default in _defaults(kind))
    return {name: _plain(part) for name, part, default in parts if part != default}


@cache
def _defaults(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    """Each field of a record with what it holds when nobody says anything."""
    return tuple(
        (field.name, field.default if field.default_factory is dataclasses.MISSING else field.default_factory())
        for field in dataclasses.fields(kind)
    )


# A customer's whole history is revived for each of their webhooks, so what a type hint asks for is found out only once.
@cache
def _reviver(hint: Any) -> Callable[[Any], Any]:
    """What makes a value of this type again from what JSON gave back."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _reviver(next(part for part in inner if part is not types.NoneType))
    if origin is tuple:
        revive = _reviver(inner[0])
        return lambda value: None if value is None else tuple([revive(part) for part in value])
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _record_reviver(hint)
    if hint is Decimal:
        return lambda value: None if value is None else Decimal(value)
    if hint in (datetime, date):
        return lambda value: None if value is None else hint.fromisoformat(value)
    return lambda value: value


def _record_reviver(kind: type[Any]) -> Callable[[Any], Any]:
    revivers: dict[str, Callable[[Any], Any]] = {}

    def revived(value: Any) -> Any:
        if value is None:
            return None
        # Not earlier: a transaction has a field that is a transaction.
        if not revivers:
            revivers.update({name: _reviver(hint) for name, hint in typing.get_type_hints(kind).items()})
        return kind(**{name: revivers[name](part) for name, part in value.items() if name in revivers})

    return revived
