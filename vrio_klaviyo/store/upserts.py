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
    bound = where.get_bind() if isinstance(where, Session) else where
    dialect = bound if isinstance(bound, str) else bound.dialect.name
    return (postgresql if dialect == "postgresql" else sqlite).insert(model.__table__)
