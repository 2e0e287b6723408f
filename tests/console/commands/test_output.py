"""How things are printed."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from console.commands.output import cell, moment, pretty, table
from console.plain_text import clean


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 8, 30, 12, 0, tzinfo=UTC), "2026-08-30T12:00:00.000Z"),
        (datetime(2026, 8, 30, 12, 0, 0, 123999, tzinfo=timezone(timedelta(hours=2))), "2026-08-30T10:00:00.123Z"),
        (None, None),
    ],
)
def test_times_are_utc_with_milliseconds(at, text):
    assert moment(at) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (["7", "8"], "7, 8"),
        ({"id": "SbxA01", "name": ""}, "id=SbxA01"),
        ("a\tb\nc", "a\\tb\\nc"),
    ],
)
def test_a_value_takes_one_line(value, text):
    assert cell(value) == text


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x9b2J", "\u202egnp", "\u2028", "\x00", "\ud800", "\r", "\u200b"])
def test_text_from_outside_cannot_steer_a_terminal(hostile):
    assert clean(f"Ann{hostile}").isprintable()
    assert clean(f"Ann{hostile}") != "Ann"


def test_names_of_all_languages_stay_as_they_are():
    assert clean("Zoë Müller 山田 Ñandú") == "Zoë Müller 山田 Ñandú"


def test_a_table_is_as_wide_as_what_stands_in_it():
    lines = list(table(["id", "key_status"], [["so_1", "accepted"], ["so_22", ""]]))

    assert lines == [
        "ID     KEY STATUS",
        "so_1   accepted",
        "so_22",
    ]


def test_a_table_of_nothing_is_its_head():
    assert list(table(["id"], [])) == ["ID"]


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ('{"value":29.99,"name":"Zoë"}', ["{", '  "value": 29.99,', '  "name": "Zoë"', "}"]),
        ("<html>\n\x1b[2J</html>", ["<html>", "\\x1b[2J</html>"]),
        ("", []),
        ("[" * 100_000, ["[" * 100_000]),
        ("1" * 5000, ["1" * 5000]),
    ],
    ids=["json", "html", "empty", "deep", "long_number"],
)
def test_a_body_is_laid_out_when_it_is_json(body, lines):
    assert pretty(body) == lines
