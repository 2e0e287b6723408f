"""How commands end: the exit codes, and the sentence on standard error."""

import sqlite3
from contextlib import closing

import pytest

from tests.console.shop import ENCRYPTION_KEY
from vrio_klaviyo.store.db import head

REQUIRED = ("SECRET_KEY", "ENCRYPTION_KEYS")


@pytest.mark.parametrize(
    ("args", "exit_code", "sentence"),
    [
        (("source", "list"), 0, ""),
        (("source", "show", "Nope"), 3, "Error: no source is called Nope\n"),
        (("source", "list", "--workspace", "Nope"), 3, "Error: no workspace is called Nope\n"),
        (("source", "add", "Shop", "--workspace", "Nope"), 3, "Error: no workspace is called Nope\n"),
        (("connection", "show", "Nope"), 3, "Error: no connection is called Nope\n"),
        (("connection", "check", "Nope"), 3, "Error: no connection is called Nope\n"),
        (("connection", "pause", "Nope"), 3, "Error: no connection is called Nope\n"),
        (("connection", "activate", "Nope"), 3, "Error: no connection is called Nope\n"),
        (("inbound", "show", "in_0"), 3, "Error: no inbound event has the id in_0\n"),
        (("inbound", "list", "--source", "Nope"), 3, "Error: no source is called Nope\n"),
        (("inbound", "send", "order_updated", "--source", "Nope"), 3, "Error: no source is called Nope\n"),
        (("delivery", "show", "dl_0"), 3, "Error: no delivery has the id dl_0\n"),
        (("delivery", "list", "--connection", "Nope"), 3, "Error: no connection is called Nope\n"),
        (("delivery", "list", "--customer", "x@y.zz"), 3, "Error: no customer has the e-mail or id x@y.zz\n"),
        (("customer", "show", "x@y.zz"), 3, "Error: no customer has the e-mail or id x@y.zz\n"),
        (("customer", "show", " "), 2, "Error: the customer's e-mail or id is empty\n"),
        (("workspace", "add", " "), 2, "Error: the workspace's name must have 1 to 80 characters\n"),
        (("workspace", "add", "default"), 2, "Error: another workspace is called default\n"),
        (("source", "add", "x" * 81), 2, "Error: the source's name must have 1 to 80 characters\n"),
        (("source", "add", "Shop", "--time-zone", "Mars"), 2, "Mars is no time zone"),
        (("source", "add", "Shop", "--country", "USA"), 2, "USA is no country"),
        (("source", "add"), 2, "Missing argument 'NAME'"),
        (("source", "sing"), 2, "No such command 'sing'"),
        (("source", "list", "--limit", "0"), 2, "0 is not in the range"),
        (("delivery", "list", "--status", "late"), 2, "'late' is not one of 'queued'"),
        (("inbound", "list", "--status", "late"), 2, "'late' is not one of 'received'"),
        (("inbound", "send", "nothing.json", "--source", "x"), 2, "nothing.json is no file to read and no sample"),
        (("connection", "add", "K"), 2, "Missing option '--key-file'"),
        (("source", "show", "\x1b[2Jx"), 3, "Error: no source is called \\x1b[2Jx\n"),
    ],
)
def test_every_end_has_its_exit_code_and_sentence(flask, args, exit_code, sentence):
    result = flask.invoke(*args)

    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


# Every data command, with arguments that would be fine.
DATA_COMMANDS = [
    ("workspace", "add", "W"),
    ("source", "add", "S"),
    ("source", "list"),
    ("source", "show", "S"),
    ("connection", "add", "K", "--key-file", "-"),
    ("connection", "list"),
    ("connection", "show", "K"),
    ("connection", "check", "K"),
    ("connection", "pause", "K"),
    ("connection", "activate", "K"),
    ("inbound", "send", "order_updated", "--source", "S"),
    ("inbound", "list"),
    ("inbound", "show", "in_0"),
    ("delivery", "list"),
    ("delivery", "show", "dl_0"),
    ("customer", "show", "john@example.com"),
    ("connection", "test-event", "K", "--email", "john@example.com"),
    ("connection", "rotate-key", "K", "--key-file", "-"),
    ("connection", "archive", "K", "--yes"),
    ("inbound", "preview", "in_0"),
    ("key", "check"),
    ("key", "rotate"),
    ("stats",),
    ("doctor", "--email", "john@example.com"),
]


@pytest.mark.parametrize("args", DATA_COMMANDS, ids=" ".join)
def test_without_settings_a_data_command_names_all_that_are_missing(invoke, monkeypatch, args):
    for name in REQUIRED:
        monkeypatch.delenv(name, raising=False)

    result = invoke(*args, "--json", stdin=b"pk_key")

    assert (result.exit_code, result.stdout) == (5, "")
    assert all(name in result.stderr for name in REQUIRED)


@pytest.mark.parametrize("args", DATA_COMMANDS, ids=" ".join)
def test_a_database_without_tables_is_not_ready(invoke, monkeypatch, tmp_path, args):
    ready(monkeypatch, f"sqlite:///{tmp_path}/new.db")

    result = invoke(*args, "--json", stdin=b"pk_key")

    assert (result.exit_code, result.stdout) == (5, "")
    needs = f"Error: the database has no tables yet, and this version needs {head()}: run `flask db upgrade`\n"
    assert result.stderr == needs


def test_a_database_of_each_kind_without_tables_is_not_ready(invoke, monkeypatch, empty_database_url):
    ready(monkeypatch, empty_database_url)

    assert invoke("source", "list").exit_code == 5


def test_a_database_of_another_version_is_not_ready(invoke, monkeypatch, tmp_path):
    ready(monkeypatch, f"sqlite:///{tmp_path}/old.db")
    with closing(sqlite3.connect(tmp_path / "old.db")) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('0000')")
        database.commit()

    result = invoke("source", "list")

    assert result.exit_code == 5
    assert "the database is at migration 0000, and this version needs" in result.stderr


@pytest.mark.parametrize("args", [("source", "list"), ("db", "upgrade")], ids=["list", "upgrade"])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://vk:topsecret@127.0.0.1:1/vk",
        "postgresql://vk:topsecret@127.0.0.1:port/vk",
        "sqlite:////dev/null/topsecret.db",
        "sqlite:////proc/version",
    ],
)
def test_a_database_that_cannot_be_opened_is_not_ready_and_its_password_is_not_told(invoke, monkeypatch, args, url):
    ready(monkeypatch, url)

    result = invoke(*args)

    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr.startswith("Error: the database that DATABASE_URL names cannot be used (")
    assert "topsecret" not in result.stderr


def ready(monkeypatch, database_url):
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SECRET_KEY", "secret")
    monkeypatch.setenv("ENCRYPTION_KEYS", ENCRYPTION_KEY)
