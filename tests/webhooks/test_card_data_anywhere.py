"""Card data in any bytes and in any document: it is gone, and nothing else is."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.webhooks.cards import CARDS
from webhooks.card_data import scrubbed

pytestmark = pytest.mark.requirement("003-A")


PIECES = [
    b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b" ", b"-", b"\n", b"+", b"=", b"&", b".", b"e", b"0", b"4242",
    b"123", b"null", b"\0", b"\xff", b"\xc3\xa9", b"\xd9\xa4", b"\\u0034", b"\\u0022", b"\\ud83d", b"4242424242424242",
    b'"cvv"', b"378282246310005", b'"card_number":', b"cvv", b"card_number", b'"phone":', b'"id":"', b'{"a":', b'"x"',
    b'{"pan":"', b"4111 1111 1111 1111",
]  # fmt: skip
PLAIN_NAMES = ["order_notes", "tracking1", "customer_card_bin", "status", "café", "a\\b", 'say "cvv"', "", "42 - 42"]
NAMES = st.sampled_from(
    [*PLAIN_NAMES, "phone", "id", "customer_card_id", "card_number", "cvv", "gateway_response_cvv", "PAN"]
)
DIGITS_AMONG_TEXT = st.lists(
    st.sampled_from([*"0123456789", "42", "4242", " ", "-", "x", "é", "４", "\\", '"', "\n"])
).map("".join)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | DIGITS_AMONG_TEXT
)


def documents(names: st.SearchStrategy[str], leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
        max_leaves=12,
    )


def escaped(document: Any) -> str:
    """The document as JSON, with an escape for every character of its strings."""

    def string(found: re.Match[str]) -> str:
        return '"' + re.sub("(....)", r"\\u\1", json.loads(found[0]).encode("utf-16-be").hex()) + '"'

    return re.sub(r'"(?:[^"\\]|\\.)*"', string, json.dumps(document))


SPELLINGS: list[Callable[[Any], str]] = [
    json.dumps,
    partial(json.dumps, ensure_ascii=False),
    partial(json.dumps, ensure_ascii=False, indent="\t", separators=(" ,", " : ")),
    escaped,
]


@given(st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)))
@example(b"\xff\xfe\x00\xd8")
@example(b"{\x00\x00\x00\xff\xff\xff\xff")
@example(b"cardnumber:4 111111111111111:")
@example(b'"cvv":2]e.pan=4242424242424242')
@example(b"card_number=99999999994242 424242424242")
@example(b'cvv:12 345, cvv: 12"5')
@example(b'{"card_number": "XX42", "a": 4242 4242 4242 4242}')
@example(b'{"4242424242424242_4242424242424242_4242424242424242_a_card_cvv": "123"}')
@example(b'"\\ud83d"' + b"4" * 13)
def test_any_bytes_are_taken_and_a_second_time_changes_nothing(body: bytes) -> None:
    once = scrubbed(body)

    assert scrubbed(once) is once


@given(documents(NAMES, LEAVES), st.sampled_from(SPELLINGS))
def test_a_document_stays_as_it_is_but_for_card_data(document: Any, spelling: Callable[[Any], str]) -> None:
    after = json.loads(scrubbed(spelling(document).encode()))

    same_but_for_card_data(document, after, "text")


def same_but_for_card_data(before: Any, after: Any, rule: str) -> None:
    """Fails where the two documents differ and should not."""
    if isinstance(before, dict):
        assert list(before) == list(after)
        for name, value in before.items():
            own = {"PAN": "number", "card_number": "number", "cvv": "code"}.get(name, "text")
            if name in ("phone", "id", "customer_card_id", "gateway_response_cvv"):
                own = "exempt"
            same_but_for_card_data(value, after[name], rule if own == "text" and rule in ("number", "code") else own)
    elif isinstance(before, list):
        assert len(before) == len(after)
        for one, other in zip(before, after, strict=True):
            same_but_for_card_data(one, other, rule)
    elif before is None or isinstance(before, bool) or rule == "exempt":
        assert after is before or after == before
    elif rule == "code":
        assert after == ("" if isinstance(before, str) else None)
    elif rule == "number" and isinstance(before, str):
        assert after == "".join(one for one in before if one.isdecimal())[-4:]
    elif isinstance(before, float):
        whole = str(abs(int(Decimal(repr(before)))))
        if rule == "number":
            assert re.fullmatch(r"\d{1,4}", after)
        else:
            assert after == (whole[-4:] if is_a_card_number(whole) else before)
    elif rule == "number":
        assert after == str(abs(before))[-4:]
    elif holds_a_card_number(str(before)):
        assert len(after) < len(str(before))
        assert not holds_a_card_number(after)
    else:
        assert after == before


def holds_a_card_number(text: str) -> bool:
    """The slow way: every stretch of the text that is nothing but digits and single spaces and dashes."""
    for start in range(len(text)):
        for end in range(start + 13, len(text) + 1):
            stretch = text[start:end].replace("-", " ")
            digits = "".join(str(int(one)) for one in stretch if one.isdecimal())
            alone = not text[:start][-1:].isdecimal() and not text[end:][:1].isdecimal()
            tidy = stretch == stretch.strip() and "  " not in stretch
            if alone and tidy and len(digits) + stretch.count(" ") == len(stretch) and is_a_card_number(digits):
                return True
    return False


def is_a_card_number(digits: str) -> bool:
    lengths: dict[range, Iterable[int]] = {
        range(4, 5): (13, 16, 19),
        range(51, 56): (16,),
        range(2221, 2721): (16,),
        range(34, 35): (15,),
        range(37, 38): (15,),
        **dict.fromkeys(
            [range(6011, 6012), range(644, 650), range(65, 66), range(3528, 3590), range(62, 63)], range(16, 20)
        ),
        **dict.fromkeys([range(300, 306), range(36, 37), range(38, 40)], range(14, 20)),
        **dict.fromkeys([range(50, 51), range(56, 59), range(63, 64), range(67, 68)], range(13, 20)),
    }
    known = any(int(digits[: len(str(p[0]))]) in p and len(digits) in allowed for p, allowed in lengths.items())
    luhn = sum(sum(divmod(int(one) * (1 + at % 2), 10)) for at, one in enumerate(reversed(digits)))
    return known and luhn % 10 == 0


@given(DIGITS_AMONG_TEXT)
@example("4242424242424242 4242 4242 4242")
@example("4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2")
@example("50 4242424242424242 4242424242424242")
def test_a_card_number_is_found_wherever_the_slow_way_finds_one(text: str) -> None:
    after = json.loads(scrubbed(json.dumps({"a": text}).encode()))["a"]

    assert (after == text) is not holds_a_card_number(text)
    assert not holds_a_card_number(after)


GROUPED = ["4242424242424242", "4111 1111 1111 1111", "378282246310005", "3782-822463-10005", "4-111 1-1-111111 1111 1"]
AROUND = st.text(st.characters(exclude_categories=["Nd", "Cs"]), max_size=10) | st.sampled_from(
    ["12 ", " 34-", "-5 ", "6 7 8 "]
)


@given(
    st.data(),
    st.sampled_from([*GROUPED, *CARDS.values()]),
    st.sampled_from(SPELLINGS),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32-le"]),
)
def test_a_card_number_in_any_text_of_any_document_is_gone(
    data: st.DataObject, number: str, spelling: Callable[[Any], str], encoding: str
) -> None:
    before = data.draw(AROUND.filter(lambda text: not text[-1:].isdecimal()))
    after = data.draw(AROUND.filter(lambda text: not text[:1].isdecimal()))
    planted: Any = f"{before}{number}{after}"
    if number.isdecimal() and data.draw(st.booleans()):
        planted = int(number)
    names = st.sampled_from([*PLAIN_NAMES, "cvv", "card_number", f"{before}{number}{after}"])
    leaves = st.just(planted) | st.text(st.characters(exclude_categories=["Nd", "Cs"]), max_size=5)
    document = {"order_notes": planted, "x": data.draw(documents(names, leaves))}
    body = spelling(document).encode(encoding)

    kept = json.loads(scrubbed(body))

    assert any(only_digits(number) in only_digits(text) for text in texts(document))
    assert not any(only_digits(number) in only_digits(text) for text in texts(kept))


def texts(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        yield from document
        document = list(document.values())
    if isinstance(document, list):
        for one in document:
            yield from texts(one)
    else:
        yield str(document)


def only_digits(text: str) -> str:
    return "".join(one for one in text if one.isdecimal())


@given(
    st.binary(max_size=40),
    st.sampled_from(GROUPED),
    st.binary(max_size=40),
    st.sampled_from(["ascii", "utf-16-le", "utf-32-be"]),
)
def test_a_card_number_among_any_bytes_is_gone(before: bytes, number: str, after: bytes, encoding: str) -> None:
    assume(not before.rstrip(b"\0")[-1:].isdigit())
    assume(not after.lstrip(b"\0")[:1].isdigit())
    # The end of one digit of another script and the beginning of the next are bytes like any others.
    assume(not any(one.isdecimal() for one in (before + b" " + after).decode("utf-8", "ignore") if not one.isascii()))

    kept = scrubbed(before + b"\n" + number.encode(encoding) + b"\n" + after)

    assert only_digits(number) not in only_digits(kept.decode("latin-1").replace("\0", ""))


@given(documents(NAMES, LEAVES))
def test_the_quick_look_and_the_close_one_see_the_same(document: Any) -> None:
    text = json.dumps({"x": document}, ensure_ascii=False)[:-1]
    assume(not holds_a_card_number(text))

    quick = scrubbed(f'{text}, "last": 1}}'.encode())
    close = scrubbed(rf'{text}, "last": "\u0030"}}'.encode())

    assert quick.removesuffix(b"1}") == close.removesuffix(rb'"\u0030"}')
