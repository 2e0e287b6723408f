"""`flask workspace …` and `flask source …`."""

import re

import pytest
import responses

from tests.console.shop import ENCRYPTION_KEY
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.sources import find_source

PATH = re.compile("/webhooks/vrio/[A-Za-z0-9_-]{43}")


def test_a_source_is_shown_with_the_path_that_vrio_posts_to(flask):
    told = flask.told(
        "source", "add", " My  shop ", "--time-zone", "America/New_York", "--country", "de", "--currency", "eur"
    )

    assert told == {
        "id": told["id"],
        "name": "My shop",
        "workspace": "default",
        "webhook_path": told["webhook_path"],
        "time_zone": "America/New_York",
        "country": "DE",
        "currency": "EUR",
        "upcoming_days": 3,
        "has_api_key": False,
        "previous_key_until": None,
        "created_at": told["created_at"],
    }
    assert PATH.fullmatch(told["webhook_path"])
    assert flask.told("source", "show", "my SHOP") == told
    assert flask.told("source", "show", told["id"]) == told


def test_sources_are_listed_newest_first_and_without_their_paths(flask):
    for name in ("One", "Two", "Three"):
        flask.told("source", "add", name)

    assert [source["name"] for source in flask.listed("source", "list", "--limit", "2")] == ["Three", "Two"]
    assert not PATH.search(flask.invoke("source", "list").stdout + flask.invoke("source", "list", "--json").stdout)


def test_sources_belong_to_workspaces(flask):
    other = flask.told("workspace", "add", "Other")
    assert set(other) == {"id", "name", "created_at"}
    flask.told("source", "add", "Shop")
    theirs = flask.told("source", "add", "Shop", "--workspace", "Other")

    assert flask.listed("source", "list", "--workspace", other["id"]) == [
        {name: value for name, value in theirs.items() if name != "webhook_path"}
    ]
    assert flask.told("source", "show", "Shop", "--workspace", "Other") == theirs
    result = flask.invoke("source", "show", "Shop")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "several workspaces have a source called Shop" in result.stderr


@pytest.mark.parametrize("where", ["file", "-"])
def test_vrios_key_comes_from_a_file_or_standard_input_and_is_never_shown(flask, database, tmp_path, where):
    file = tmp_path / "vrio.key"
    file.write_bytes(b"\xef\xbb\xbfMARKED-vrio-key\r\n")
    path = str(file) if where == "file" else "-"

    result = flask.invoke("source", "add", "Shop", "--api-key-file", path, stdin=b"MARKED-vrio-key\n")

    assert result.exit_code == 0
    assert "has_api_key: yes\n" in result.stdout
    assert "MARKED" not in result.output
    with database.read() as session:
        source = find_source(session, "Shop")
    assert Vault([ENCRYPTION_KEY]).unseal(source.api_key_sealed, source.workspace_id, source.id) == "MARKED-vrio-key"


def test_without_a_terminal_lists_are_separated_by_tabs_and_things_are_lines(flask):
    told = flask.told("source", "add", "Zoë's shop")

    listed, shown = flask.invoke("source", "list"), flask.invoke("source", "show", "Zoë's shop")

    assert listed.stdout == f"{told['id']}\tZoë's shop\tdefault\tUTC\tUS\tUSD\n"
    assert f"id: {told['id']}\nname: Zoë's shop\n" in shown.stdout
    assert listed.stderr == shown.stderr == ""


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "\x1b[31mred", "'; DROP TABLE sources; --", "a\u202eb"]
)
def test_hostile_names_are_kept_and_cannot_harm(flask, hostile):
    told = flask.told("source", "add", hostile)

    assert told["name"] == hostile
    assert flask.told("source", "show", hostile) == told
    lines = (
        flask.invoke("source", "show", hostile).stdout.splitlines() + flask.invoke("source", "list").stdout.splitlines()
    )
    assert len(lines) == len(told) + 1
    assert all(line.replace("\t", "").isprintable() for line in lines)


@pytest.mark.parametrize(
    ("answer", "verdict", "exit_code"), [(404, "accepted", 0), (401, "rejected", 1), (503, "unknown", 1)]
)
def test_vrio_is_asked_whether_it_takes_a_sources_key(flask, monkeypatch, answer, verdict, exit_code):
    monkeypatch.setenv("VRIO_API_URL", "https://vrio.test")
    flask.told("source", "add", "Shop", "--api-key-file", "-", stdin=b"MARKED-vrio-key")

    with responses.RequestsMock() as vrio:
        asked = vrio.get("https://vrio.test/customers/0", status=answer, json={"error": {"code": "told"}})
        told = flask.told("source", "check", "Shop", exit_code=exit_code)

    assert told["verdict"] == verdict
    assert "Vrio" in told["sentence"]
    assert "MARKED" not in str(told)
    assert "MARKED-vrio-key" in str(asked.calls[0].request.headers)


def test_a_source_without_a_key_has_none_to_check(flask):
    flask.told("source", "add", "Shop")

    result = flask.invoke("source", "check", "Shop")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "Shop has no key for Vrio's REST API" in result.stderr


def test_what_a_command_does_to_a_source_stands_in_the_audit_log(flask, database):
    flask.told("source", "add", "Shop")
    flask.told("source", "set", "Shop", "--currency", "EUR", "--country", "US")
    flask.told("source", "set", "Shop", "--api-key-file", "-", stdin=b"MARKED-vrio-key")
    flask.told("source", "set", "Shop", "--no-api-key")
    flask.told("source", "rotate", "Shop", "--at-once")
    flask.told("catalog", "import", "-", "--source", "Shop", stdin=b'{"offers": [{"offer_id": "7", "items": []}]}')

    assert flask.audited(database) == [
        ("source.added", {"name": "Shop"}),
        ("source.changed", {"before": {"currency": "USD"}, "after": {"currency": "EUR"}}),
        ("source.api_key_set", {}),
        ("source.api_key_removed", {}),
        ("source.rotated", {"at_once": True}),
        (
            "source.catalog_imported",
            {"offers": 1, "items": 0, "categories": 0, "cancel_reasons": 0, "intervals": 0},
        ),
    ]
