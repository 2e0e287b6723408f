"""`flask db …`."""

from vrio_klaviyo.store.db import head


def test_an_upgrade_needs_the_database_only(invoke, monkeypatch, empty_database_url):
    for name in ("SECRET_KEY", "ENCRYPTION_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", empty_database_url)

    first, again = invoke("db", "upgrade"), invoke("db", "upgrade", "--json")

    assert (first.exit_code, first.stdout) == (0, f"migration: {head()}\n")
    assert (again.exit_code, again.stdout) == (0, f'{{"migration": "{head()}"}}\n')


def test_after_an_upgrade_there_is_a_workspace(flask):
    assert flask.told("source", "add", "My shop")["workspace"] == "default"


def test_what_is_and_what_must_be_are_told(flask, invoke, monkeypatch, empty_database_url):
    assert flask.told("db", "current") == flask.told("db", "check") == {"migration": head(), "needed": head()}

    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    assert flask.told("db", "current") == {"migration": None, "needed": head()}
    assert invoke("db", "check").exit_code == 5
