"""Secrets at rest: only the right key opens them, and only on their own row."""

import pytest
from cryptography.fernet import Fernet

from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store.crypto import Vault, new_key

OLD, NEW = new_key(), new_key()
SECRET = "pk_sandboxgood"


def test_a_secret_opens_on_its_own_row() -> None:
    sealed = Vault([NEW]).seal(SECRET, "ws_1", "cn_1")

    assert SECRET.encode() not in sealed
    assert Vault([NEW]).unseal(sealed, "ws_1", "cn_1") == SECRET


@pytest.mark.parametrize("secret", ["", "with\nlines\n", "ключ 🔑", "x" * 5000])
def test_any_secret_comes_back_as_it_was(secret: str) -> None:
    vault = Vault([NEW])

    assert vault.unseal(vault.seal(secret, "ws_1", "cn_1"), "ws_1", "cn_1") == secret


def test_the_same_secret_looks_different_each_time() -> None:
    vault = Vault([NEW])

    assert vault.seal(SECRET, "ws_1", "cn_1") != vault.seal(SECRET, "ws_1", "cn_1")


@pytest.mark.parametrize(("workspace", "owner"), [("ws_1", "cn_2"), ("ws_2", "cn_1"), ("ws_2", "cn_2"), ("", "")])
def test_a_secret_moved_to_another_row_does_not_open(workspace: str, owner: str) -> None:
    sealed = Vault([NEW]).seal(SECRET, "ws_1", "cn_1")

    with pytest.raises(InvalidInput, match="belongs to another row") as refused:
        Vault([NEW]).unseal(sealed, workspace, owner)
    assert SECRET not in repr(refused.value)


def test_a_key_that_was_replaced_still_opens_what_it_sealed() -> None:
    sealed = Vault([OLD]).seal(SECRET, "ws_1", "cn_1")

    assert Vault([NEW, OLD]).unseal(sealed, "ws_1", "cn_1") == SECRET


def test_the_first_key_is_the_one_that_seals() -> None:
    sealed = Vault([NEW, OLD]).seal(SECRET, "ws_1", "cn_1")

    assert Vault([NEW]).unseal(sealed, "ws_1", "cn_1") == SECRET


def test_a_wrong_key_opens_nothing_and_the_error_names_the_row() -> None:
    sealed = Vault([OLD]).seal(SECRET, "ws_1", "cn_1")

    with pytest.raises(InvalidInput, match="no key of ENCRYPTION_KEYS opens the secret of cn_1"):
        Vault([NEW]).unseal(sealed, "ws_1", "cn_1")


@pytest.mark.parametrize("place", [0, 20, -1])
def test_a_changed_secret_does_not_open(place: int) -> None:
    sealed = bytearray(Vault([NEW]).seal(SECRET, "ws_1", "cn_1"))
    sealed[place] ^= 1

    with pytest.raises(InvalidInput):
        Vault([NEW]).unseal(bytes(sealed), "ws_1", "cn_1")


@pytest.mark.parametrize("keys", [[], [""], ["short"], [NEW, "not a key at all"], ["ü" * 44]])
def test_what_is_no_key_is_refused(keys: list[str]) -> None:
    with pytest.raises(InvalidInput):
        Vault(keys)


def test_a_new_key_is_one() -> None:
    assert Fernet(new_key())
    assert new_key() != new_key()


def test_a_secret_tells_whether_the_first_key_is_enough_for_it() -> None:
    sealed = Vault([OLD]).seal(SECRET, "ws_1", "cn_1")

    assert Vault([OLD, NEW]).is_newest(sealed)
    assert not Vault([NEW, OLD]).is_newest(sealed)
