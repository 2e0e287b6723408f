"""`flask db …`: the database itself."""

from contextlib import closing

from console.commands.desk import Noun, reaching_the_database
from console.commands.output import json_option, show
from vrio_klaviyo import config
from vrio_klaviyo.errors import NotReady
from vrio_klaviyo.store import db

command = Noun("db", help="The database.")


@command.command()
@json_option
def upgrade(as_json: bool) -> None:
    """Bring the database to this version's newest migration."""
    url = config.load_database_url()
    with reaching_the_database():
        db.upgrade(url)
    show({"migration": db.head()}, as_json=as_json, follow="flask source add NAME")


@command.command()
@json_option
def current(as_json: bool) -> None:
    """Tell at which migration the database is, and at which it must be."""
    show({"migration": _revision(), "needed": db.head()}, as_json=as_json)


@command.command()
@json_option
def check(as_json: bool) -> None:
    """Fail unless the database is at the migration that this version needs."""
    revision = _revision()
    show({"migration": revision, "needed": db.head()}, as_json=as_json)
    if revision != db.head():
        raise NotReady("the database is not at the migration that this version needs: run `flask db upgrade`")


def _revision() -> str | None:
    url = config.load_database_url()
    with reaching_the_database(), closing(db.Database(url)) as opened:
        return opened.revision()
