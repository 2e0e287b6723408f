"""What changed between two bodies, in lines and in a sentence."""

import pytest

from console.pages.differences import MOST_LINES, difference

BEFORE = b'{"data":{"email":"a@x.io","phone_number":"+1555","value":1.50},"tags":["a","b"]}'


def signed(before: bytes, after: bytes) -> list[str]:
    return [f"{line.sign} {line.text.strip()}" for line in difference(before, after).lines if line.sign]


def test_a_removed_field_is_named_and_is_the_only_line_that_changed():
    after = b'{"data":{"email":"a@x.io","value":1.50},"tags":["a","b"]}'

    assert difference(BEFORE, after).sentence == "1 field removed: phone_number."
    assert signed(BEFORE, after) == ['− "phone_number": "+1555"']


def test_removed_added_and_changed_are_told_apart():
    after = b'{"data":{"email":"b@x.io","value":1.5,"sku":"D3"},"tags":["a","b"]}'

    told = difference(BEFORE, after).sentence

    # The digits count: what was 1.50 and is 1.5 was written otherwise.
    assert told == "1 field removed: phone_number. 1 field added: sku. 2 fields changed: email, value."


@pytest.mark.parametrize("same", [BEFORE, b"", b"no json", b"[]"])
def test_what_is_the_same_says_so(same):
    assert difference(same, same).sentence == "Nothing changed."


def test_what_is_no_json_is_compared_by_its_lines():
    assert difference(b"a\nb", b"a\nc").sentence == "Something changed."
    assert signed(b"a\nb", b"a\nc") == ["− b", "+ c"]


def test_long_stretches_of_what_stayed_are_folded():
    before = b"[" + b",".join(b"%d" % number for number in range(40)) + b"]"
    after = before.replace(b",20,", b",99,")

    stretches = difference(before, after).stretches

    assert [folded for folded, _ in stretches] == [True, False, True]
    assert [line.sign for line in stretches[1][1]] == ["", "", "", "−", "+", "", "", ""]


def test_of_many_lines_only_the_fields_are_told():
    many = b"[" + b"1," * (2 * MOST_LINES) + b"1]"

    found = difference(many, many[:-2] + b"2]")

    assert found.lines == []
    assert found.sentence.startswith("1 field changed")
