"""Which digits in a text are a card number."""

import pytest

from tests.webhooks.cards import CARDS, outcome

pytestmark = pytest.mark.requirement("003-A")


NO_CARDS = {
    "wrong check digit": "4242424242424241",
    "no network": "1234567812345670",
    "Visa has no 14 digits": "42424242424244",
    "American Express has no 16 digits": "3782822463100053",
    "Mastercard ends at 2720": "2721000000000004",
    "12 digits": "424242424242",
    "20 digits": "42424242424242424242",
    "milliseconds": "1755249164000",
    "time stamp": "20250815091244",
}


@pytest.mark.parametrize("number", CARDS.values(), ids=CARDS.keys())
def test_a_card_number_in_any_text_keeps_four_digits(number: str) -> None:
    assert outcome(f'"{number}"') == f'"{number[-4:]}"'
    assert outcome(number) == f'"{number[-4:]}"'
    assert outcome(f'"No. {number}, thanks"') == f'"No. {number[-4:]}, thanks"'
    assert outcome(f'"x{number}y"') == f'"x{number[-4:]}y"'


@pytest.mark.parametrize("digits", NO_CARDS.values(), ids=NO_CARDS.keys())
def test_other_digits_stay(digits: str) -> None:
    assert outcome(f'"{digits}"') == f'"{digits}"'
    assert outcome(digits) == digits
    assert outcome(f'"No. {digits}, thanks"') == f'"No. {digits}, thanks"'


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("4111 1111 1111 1111", "1111"),
        ("4111-1111-1111-1111", "1111"),
        ("3782 822463 10005", "0005"),
        ("4-2-4-2-4-2-4-2-4-2-4-2-4-2-4-2", "4242"),
        ("4000 0000 0000 0000 006", "0006"),
        ("12 4242 4242 4242 4242 99", "12 4242 99"),
        ("4242424242424242 12/30 123", "4242 12/30 123"),
        ("4242424242424242 123", "4242 123"),
        ("(4242424242424242)(5555555555554444)", "(4242)(4444)"),
        ("4242424242424242 5555555555554444", "4242 4444"),
        ("4242424242424242 4242 4242 4242", "4242"),
        ("42424242424242424242 4242424242424242", "42424242424242424242 4242"),
        ("4242  4242  4242  4242", "4242  4242  4242  4242"),
        ("4242.4242.4242.4242", "4242.4242.4242.4242"),
        ("４２４２４２４２４２４２４２４２", "４２４２"),
        ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "٤٢٤٢"),
        (r"\u0034242\u00204242 4242 4\u003242", "4\\u003242"),
        (r"caf\u00e94242424242424242\/\u00e9", r"caf\u00e94242\/\u00e9"),
        (r"\\u00344242424242424242", r"\\u00344242424242424242"),
        (r"\ud835\udfd2242424242424242\/\ud83d\ude00", r"4242\/\ud83d\ude00"),
        (r"424242424242\ud835\udfd2242\/", r"\ud835\udfd2242\/"),
        (r"\n4242424242424242\n", r"\n4242\n"),
        (r"{\"number\":\"4242424242424242\"}", r"{\"number\":\"4242\"}"),
    ],
)  # fmt: skip
def test_runs_of_digits_in_a_text(text: str, kept: str) -> None:
    assert outcome(f'"{text}"') == f'"{kept}"'


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        ("-4242424242424242", '"4242"'),
        ("4242424242424242.00", '"4242"'),
        ("4.242424242424242e+15", '"4242"'),
        ("4.242424242424242E15", '"4242"'),
        ("4.242424242424242e14", "4.242424242424242e14"),
        ("4.242424242424242e99999999", "4.242424242424242e99999999"),
        ("4.242424242424242", "4.242424242424242"),
        ("0.4242424242424242", "0.4242424242424242"),
        ("29.990", "29.990"),
        ("-0", "-0"),
    ],
)
def test_numbers(number: str, kept: str) -> None:
    assert outcome(number) == kept
