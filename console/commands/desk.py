"""What commands work with, and how they end: settings, database and bell, and the exit codes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import click
import requests
from flask.cli import AppGroup

from console.hand import Hand
from console.plain_text import clean
from vrio_klaviyo import config, log
from vrio_klaviyo.calling import new_session
from vrio_klaviyo.config import InvalidSettings, Settings
from vrio_klaviyo.errors import InvalidInput, NotFound, NotReady, Refused
from vrio_klaviyo.store import tables  # noqa: F401 (SQLAlchemy: a table must know those that it points at)
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Database, DatabaseError, head
from workers.bells import Bells

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# Anything else that a command says of itself ends with 1, and click's own refusals of an argument with 2.
EXIT_CODES: dict[type[Exception], int] = {
    InvalidInput: 2,
    NotFound: 3,
    Refused: 1,
    InvalidSettings: 5,
    NotReady: 5,
    DatabaseError: 5,
}


@contextmanager
def _told_in_words(ctx: click.Context) -> Iterator[None]:
    """What goes wrong inside becomes a sentence on standard error and an exit code."""
    try:
        yield
    except tuple(EXIT_CODES) as error:
        # A database's own words may hold the values that it was given.
        text = f"the database failed ({type(error).__name__})" if isinstance(error, DatabaseError) else str(error)
        click.echo("Error: " + "\n".join(map(clean, text.splitlines())), err=True)
        ctx.exit(next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind)))


class Noun(AppGroup):
    """A group of commands, `flask <noun> <verb>`, that end in words and an exit code whatever goes wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        with _told_in_words(ctx):
            return super().invoke(ctx)


class Verb(click.Command):
    """A command without a noun that ends in words and an exit code whatever goes wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _told_in_words(ctx):
            return super().invoke(ctx)


class Desk:
    """What data commands work with; each part is opened when it is first asked for, and all are closed at the end."""

    def __init__(self) -> None:
        self.opened = ExitStack()

    @cached_property
    def settings(self) -> Settings:
        """The environment; the log is set to what it says. Raises InvalidSettings."""
        settings = config.load()
        # Until it is told otherwise the log goes to standard output, which belongs to the result.
        log.configure(settings.log_level)
        return settings

    @cached_property
    def db(self) -> Database:
        """The database, which is migrated. Raises NotReady."""
        with reaching_the_database():
            db = Database(self.settings.database_url)
            self.opened.callback(db.close)
            revision = db.revision()
        if revision != head():
            has = f"is at migration {revision}" if revision else "has no tables yet"
            raise NotReady(f"the database {has}, and this version needs {head()}: run `flask db upgrade`")
        return db

    def ready(self) -> Settings:
        """The settings, when the database is there and migrated. Raises InvalidSettings, NotReady."""
        self.db.close()
        return self.settings

    @cached_property
    def vault(self) -> Vault:
        """What seals and opens secrets."""
        return Vault(self.settings.encryption_keys)

    @cached_property
    def http(self) -> requests.Session:
        """A session for calls to Klaviyo and to ourselves."""
        return self.opened.enter_context(new_session())

    @cached_property
    def bells(self) -> Bells:
        """What rings a worker. When Redis is away the clock will."""
        return Bells(self.settings.redis_url)

    def now(self) -> datetime:
        """The time."""
        return datetime.now(UTC)

    @property
    def hand(self) -> Hand:
        """What is done with these, the command line has done."""
        return Hand(self)


def at_desk(command: Callable[Concatenate[Desk, Arguments], Result]) -> Callable[Arguments, Result]:
    """Give the command a desk as its first argument."""

    @wraps(command)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        desk = Desk()
        with desk.opened:
            return command(desk, *args, **kwargs)

    return run


@contextmanager
def reaching_the_database() -> Iterator[None]:
    """
    Say in a sentence that the database cannot be opened.

    Raises: NotReady.
    """
    try:
        yield
    except (DatabaseError, OSError, ValueError) as error:
        # So far nothing of anybody's was sent, so the driver's first line is safe to show.
        cause = str(getattr(error, "orig", "") or type(error).__name__).splitlines()[0]
        raise NotReady(f"the database that DATABASE_URL names cannot be used ({cause})") from error
