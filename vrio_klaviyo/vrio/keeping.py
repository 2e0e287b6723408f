"""Records as kept in the memory: JSON that comes back as the same frozen values."""

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
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
    record: R = _revived(kind, json.loads(kept))
    return record


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
    parts = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
    return {field.name: _plain(part) for field, part in parts if part != _default(field)}


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _revived(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _revived(next(part for part in inner if part is not types.NoneType), value)
    if origin is tuple:
        return tuple(_revived(inner[0], part) for part in value)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        hints = _hints(hint)
        return hint(**{name: _revived(hints[name], part) for name, part in value.items() if name in hints})
    if hint is Decimal:
        return Decimal(value)
    if hint in (datetime, date):
        return hint.fromisoformat(value)
    return value


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(kind)
