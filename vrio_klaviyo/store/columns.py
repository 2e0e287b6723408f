"""The columns' own types: what a value becomes in the database, the same on SQLite and on PostgreSQL."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """
    The text without what a database refuses.

    PostgreSQL knows no NUL, and no encoding knows half a surrogate pair.
    """
    return _UNSTORABLE.sub("\ufffd", text)


class CleanText(TypeDecorator[str]):
    """Text that may come from outside."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is None else storable(value)


class ByteOrderedText(CleanText):
    """Text that every database sorts alike, by its signs' numbers, so that its index finds what begins with a word."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        # SQLite sorts so by itself, and knows no such name.
        return Text(collation="C") if dialect.name == "postgresql" else Text()


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        # SQLite keeps no zone; what we wrote was UTC.
        return value if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """A small list or object of ours, as ASCII text: the same on every database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)
