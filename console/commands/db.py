"""`flask db …`: the database itself."""

from console.commands.desk import Noun, reaching_the_database
from console.commands.output import json_option, show
from vrio_klaviyo import config
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
