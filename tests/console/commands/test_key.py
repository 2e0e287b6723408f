"""`flask key …`."""

import json

from sandbox.klaviyo import GOOD_KEY
from tests.console.shop import ENCRYPTION_KEY
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.crypto import Vault, new_key


def test_a_generated_key_seals_and_opens(invoke):
    plain, told = invoke("key", "generate").stdout, json.loads(invoke("key", "generate", "--json").stdout)

    for key in (plain.strip(), told["key"]):
        vault = Vault([key])
        assert vault.unseal(vault.seal("secret", "ws_1", "cn_1"), "ws_1", "cn_1") == "secret"
    assert plain.strip() != told["key"]


def keys_of(flask):
    """Which key opens each kind of secret."""
    return {seal["what"]: seal["key"] for seal in flask.listed("key", "check")}


def test_secrets_are_sealed_anew_with_the_first_key(flask, shop, monkeypatch, tmp_path):
    connection = shop.connect(GOOD_KEY)
    (tmp_path / "rest.key").write_text("vrio rest key")
    flask.told("source", "set", shop.source.id, "--api-key-file", str(tmp_path / "rest.key"))
    kinds = ("Klaviyo key", "webhook key", "Vrio REST key")
    assert keys_of(flask) == dict.fromkeys(kinds, "first")
    newer = new_key()
    monkeypatch.setenv("ENCRYPTION_KEYS", f"{newer},{ENCRYPTION_KEY}")
    assert keys_of(flask) == dict.fromkeys(kinds, "older")

    assert flask.told("key", "rotate", "--dry-run") == {"sealed_anew": 3, "not_opened": [], "dry_run": True}
    assert keys_of(flask) == dict.fromkeys(kinds, "older")
    assert flask.told("key", "rotate")["sealed_anew"] == 3
    assert flask.told("key", "rotate")["sealed_anew"] == 0

    monkeypatch.setenv("ENCRYPTION_KEYS", newer)
    assert keys_of(flask) == dict.fromkeys(kinds, "first")
    with shop.db.read() as session:
        row = session.get_one(Connection, connection.id)
    assert Vault([newer]).unseal(row.key_sealed, row.workspace_id, row.id) == GOOD_KEY


def test_what_no_key_opens_is_named_and_left_as_it_is(flask, shop, monkeypatch):
    monkeypatch.setenv("ENCRYPTION_KEYS", new_key())

    (seal,) = flask.listed("key", "check", exit_code=1)
    told = flask.told("key", "rotate", exit_code=1)

    assert (seal["owner"], seal["key"]) == (shop.source.id, "none")
    assert (told["sealed_anew"], told["not_opened"]) == (0, [shop.source.id])
    monkeypatch.setenv("ENCRYPTION_KEYS", ENCRYPTION_KEY)
    assert keys_of(flask) == {"webhook key": "first"}
