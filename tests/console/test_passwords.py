"""Passwords: kept as argon2 hashes, compared in the same time, chosen with little fuss."""

import pytest
from argon2 import PasswordHasher

from console.passwords import complaint, hashed, matches


def test_a_password_is_kept_as_a_hash_of_its_own_kind():
    first, second = hashed("correct horse battery"), hashed("correct horse battery")

    assert first.startswith("$argon2id$")
    assert first != second
    assert matches(first, "correct horse battery")
    assert not matches(first, "correct horse batter")


@pytest.mark.parametrize("kept", [None, "", "nonsense", "$argon2id$v=19$m=65536"])
def test_without_a_hash_nothing_matches(kept):
    assert not matches(kept, "")
    assert not matches(kept, "nobody's password")


def test_the_same_work_is_done_for_nobody(monkeypatch):
    compared = []
    monkeypatch.setattr(PasswordHasher, "verify", lambda _self, kept, password: bool(compared.append(kept)))
    for kept in (hashed("correct horse battery"), None):
        matches(kept, "wrong horse battery")

    somebodys, nobodys = (kept.rpartition("p=")[0] for kept in compared)
    assert somebodys == nobodys


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "at least 12"),
        ("x" * 201, "at most 200"),
        ("Password1234", "first that others would try"),
        ("aaaaaaaaaaaa", "first that others would try"),
        ("mia@northwind.example", "first that others would try"),
    ],
)
def test_what_anybody_would_try_is_refused(password, said):
    assert said in complaint(password, "mia@northwind.example")


@pytest.mark.parametrize("password", ["correct horse battery", "пароль-без-правил", "abcdefghijkl", " leading space"])
def test_there_are_no_rules_of_composition(password):
    assert complaint(password, "mia@northwind.example") == ""
