"""The database: how to open it, reading and writing sessions, and its migrations."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import alembic.command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, Insert, LargeBinary, MetaData, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError, TimeoutError
from sqlalchemy.orm import DeclarativeBase, Session

from vrio_klaviyo.errors import NotReady
from vrio_klaviyo.store.columns import CleanText, Json, Moment
from vrio_klaviyo.store.direct import Direct

# For how long who wants to write waits while another keeps it from doing so; with SQLite also how often it looks.
LOCKED_S = 5.0
LOOK_S = 0.002
# For how long who opens a connection to PostgreSQL waits for it, unless the URL says otherwise; in whole seconds.
CONNECT_S = 5
_BUSY_TIMEOUT = f"PRAGMA busy_timeout={int(LOCKED_S * 1000)}"

MIGRATIONS = Path(__file__).parents[2] / "migrations"

__all__ = ["Base", "Database", "DatabaseError", "Session", "head", "is_outage", "upgrade"]

# What a caller catches when the database is away, full or locked; SQLAlchemy's name stays inside `store`.
DatabaseError = SQLAlchemyError

# PostgreSQL: the class of what is too large or too complex for it, which is the fault of what it was given.
_TOO_MUCH = "54"


def is_outage(error: DatabaseError) -> bool:
    """Whether the database is to blame, being away, locked or full, and not what it was given."""
    too_much = str(getattr(getattr(error, "orig", None), "sqlstate", "")).startswith(_TOO_MUCH)
    return isinstance(error, OperationalError | InterfaceError | TimeoutError) and not too_much


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
            writes; what `with db.trial() as session` writes is gone at the end. None may span a network call.
    """

    def __init__(self, url: str) -> None:
        self.engine = _engine(database_url(url))
        self._reading = self.engine.execution_options(vk_reading=True)
        # Not asked first whether they are alive: `Direct` does it again when one was not.
        self._single = _engine(self.engine.url, isolation_level="AUTOCOMMIT", pool_pre_ping=False)

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

    @contextmanager
    def trial(self) -> Iterator[Session]:
        """A session whose work is undone when the block ends, to see what would come of it."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    def direct(self, statement: Insert) -> Direct:
        """
        This statement on connections of its own, each time a transaction by itself; for PostgreSQL alone.

        PostgreSQL: being told neither to begin nor to commit spares it two ways there and back.
        """
        return Direct(self._single, statement)

    def revision(self) -> str | None:
        """The migration that this database is at; None when it has none."""
        with self._reading.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def size(self) -> int:
        """How many bytes it takes on its disk."""
        asked = {
            "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
            "postgresql": "SELECT pg_database_size(current_database())",
        }
        with self._reading.connect() as connection:
            return int(connection.exec_driver_sql(asked[self.engine.dialect.name]).scalar_one())

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()
        self._single.dispose()


def database_url(url: str) -> URL:
    """The URL with its driver: `postgresql://` means psycopg 3, a SQLite file's folder is made when needed."""
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite" and parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    return parsed


def _engine(url: URL, **how: Any) -> Engine:
    # The values of a statement that failed are people's data, and errors end in logs.
    if url.drivername != "sqlite":
        # PostgreSQL: by itself its driver waits for two minutes for a host that takes the call and says nothing.
        waits = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_S}
        settings = {"hide_parameters": True, "pool_pre_ping": True, "pool_size": 20, "max_overflow": 10}
        engine = create_engine(url, **settings | {"connect_args": waits} | how)
        event.listen(engine, "connect", _prepare_postgresql)
        return engine
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": LOCKED_S}, **how)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    # PostgreSQL: by itself it waits for ever for what somebody else has locked, and so would Vrio.
    connection.execute(f"SET lock_timeout = {int(LOCKED_S * 1000)}")
    connection.commit()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions of its own; `_begin_sqlite` does.
    connection.isolation_level = None
    for setting in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON", _BUSY_TIMEOUT):
        connection.execute(setting).close()


def _begin_sqlite(connection: Any) -> None:
    # SQLite: a transaction that reads first and writes later fails at once when another wrote in between, whatever the
    # busy time-out. IMMEDIATE takes the write lock first and waits for it.
    if connection.get_execution_options().get("vk_reading"):
        connection.exec_driver_sql("BEGIN")
        return
    # SQLite: by itself it looks again after a tenth of a second, and so misses the moments that a busy worker leaves.
    driver = connection.connection.dbapi_connection
    ends = time.monotonic() + LOCKED_S
    driver.execute("PRAGMA busy_timeout=0").close()
    try:
        while not _has_begun(driver) and time.monotonic() < ends:
            time.sleep(LOOK_S)
        if not driver.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        driver.execute(_BUSY_TIMEOUT).close()


def _has_begun(driver: sqlite3.Connection) -> bool:
    try:
        driver.execute("BEGIN IMMEDIATE").close()
    except sqlite3.OperationalError:
        return False
    return True


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
