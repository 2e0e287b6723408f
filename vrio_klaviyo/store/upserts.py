"""INSERT … ON CONFLICT, which SQLite and PostgreSQL both have and SQLAlchemy spells once for each."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from vrio_klaviyo.store.db import Base


def insert(where: Session | Connection | str, model: type[Base]) -> Any:
    """
    The dialect's INSERT into the model's table, with `on_conflict_do_nothing` and `on_conflict_do_update`.

    Shape:  where is what will execute it, or the dialect's name.
    Typed as Any: the two dialects' statements share these methods but no type.
    """
    dialect = where if isinstance(where, str) else dialect_of(where)
    return (postgresql if dialect == "postgresql" else sqlite).insert(model.__table__)


def dialect_of(where: Session | Connection) -> str:
    """The dialect's name."""
    return (where.get_bind() if isinstance(where, Session) else where).dialect.name
