"""
No key, no password and no card number stands where it does not belong: marked ones go in everywhere, everything is made
to work and to fail, and then all that was written or shown is searched for them.

A new page, API route or command is walked by itself; a new part of an address or a new argument has to be named here.
"""

from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from tests.no_key_anywhere.house import House
from tests.no_key_anywhere.marked import LATER_KEY, LINK, SECRETS, SHOW_THE_ADDRESS, TOKEN, WEBHOOK_KEY
from tests.no_key_anywhere.moving_in import move_in, sign_in_again
from tests.no_key_anywhere.walking import find_ids, run_every_command, walk


def read_the_database(house: House, file: Path | None) -> None:
    """Every cell of every table, and of SQLite the bytes of the file, where what was deleted may stand still."""
    with house.product.db.engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings():
                for column, value in row.items():
                    told = bytes(value) if isinstance(value, bytes | memoryview) else str(value)
                    house.seen.add(f"{table}.{column}", told)
    for part in ("", "-wal") if file else ():
        on_disk = Path(f"{file}{part}")
        if on_disk.exists():
            house.seen.add("the database's file", on_disk.read_bytes())


@pytest.mark.requirement("003-9")
def test_what_is_secret_stands_nowhere(house: House, capfd: pytest.CaptureFixture[str], database_url: str) -> None:
    move_in(house)
    find_ids(house)
    before = walk(house, {"GET"})
    assert before > 60
    house.ask("GET", "/<path:missing>", f"/nowhere/{len(house.seen)}")
    run_every_command(house)
    find_ids(house)
    walk(house, {"POST", "PUT", "PATCH", "DELETE"})
    sign_in_again(house)
    find_ids(house)
    # By now the bodies are shown.
    assert walk(house, {"GET"}) > 60
    file = Path(database_url.removeprefix("sqlite:///")) if database_url.startswith("sqlite") else None
    read_the_database(house, file)
    house.product.stop()
    house.seen.add("the log", "".join(capfd.readouterr()))

    found = {name: house.seen.places_of(secret) for name, secret in SECRETS.items()}
    assert {name: places for name, places in found.items() if places} == {}
    assert house.seen.places_of("key_rejected"), "nothing was searched"
    addresses = [house.seen.places_of(house.made[name]) for name in (WEBHOOK_KEY, LATER_KEY)]
    assert set.union(*addresses) == SHOW_THE_ADDRESS
    assert house.seen.places_of(house.made[TOKEN]) == {"flask token add"}
    assert house.seen.places_of(house.made[LINK]) <= {"flask user add", "GET /link/<token>", "POST /link/<token>"}
