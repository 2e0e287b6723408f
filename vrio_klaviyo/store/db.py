"""The database: how to open it, the types of its columns, reading and writing sessions, and its migrations."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import alembic.command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import DateTime, Dialect, Engine, LargeBinary, MetaData, Text, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from vrio_klaviyo.errors import NotReady

MIGRATIONS = Path(__file__).parents[2] / "migrations"

__all__ = ["Base", "Database", "DatabaseError", "Session", "head", "storable", "upgrade"]

# What a caller catches when the database is away, full or locked; SQLAlchemy's name stays inside `store`.
DatabaseError = SQLAlchemyError

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


class Base(DeclarativeBase):
    """The tables' common ground."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it as it stands)
        str: CleanText,
        datetime: Moment,
        bytes: LargeBinary,
        list[str]: Json,
        dict[str, str]: Json,
        dict[str, Any]: Json,
    }


class Database:
    """
    One database, opened once per process.

    Shape:  `with db.write() as session` is one transaction that commits at the end; `with db.read() as session` never
            writes. Neither may span a network call.
    """

    def __init__(self, url: str) -> None:
        self.engine = _engine(database_url(url))
        self._reading = self.engine.execution_options(vk_reading=True)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose work is committed when the block ends, and undone when it raises."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for looking only."""
        with Session(self._reading, expire_on_commit=False) as session:
            yield session

    def revision(self) -> str | None:
        """The migration that this database is at; None when it has none."""
        with self._reading.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()


def database_url(url: str) -> URL:
    """The URL with its driver: `postgresql://` means psycopg 3, a SQLite file's folder is made when needed."""
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite" and parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    return parsed


def _engine(url: URL) -> Engine:
    # The values of a statement that failed are people's data, and errors end in logs.
    if url.drivername != "sqlite":
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=10, max_overflow=20)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": 5})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions of its own; `_begin_sqlite` does.
    connection.isolation_level = None
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {setting}").close()


def _begin_sqlite(connection: Any) -> None:
    # SQLite: a transaction that reads first and writes later fails at once when another wrote in between, whatever the
    # busy time-out. IMMEDIATE takes the write lock first and waits for it.
    reading = connection.get_execution_options().get("vk_reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def head() -> str:
    """The newest migration."""
    revision = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    assert revision is not None
    return revision


def upgrade(url: str) -> None:
    """
    Bring the database to the newest migration; nothing happens when it is there already.

    Raises: NotReady when the database is at a migration that this version does not know.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = database_url(url)
    try:
        alembic.command.upgrade(config, "head")
    except CommandError as error:
        raise NotReady("The database was made by a newer version of this product, or by another one.") from error
