"""Phone numbers as people type them, with the international form that the story knows for each."""

from collections.abc import Callable
from random import Random

from sandbox.vrio.records import Phone

NO_PHONE = Phone(None, None)
# Nobody can be reached under these, however they are read.
NO_PHONES = (None, "", "N/A", "---", "0000000000", "none", "12345")

# Numbers set aside for fiction: the area codes of a country, and how many digits follow.
_BRITISH = ("20 7946 0", "113 496 0", "117 496 0", "131 496 0", "161 496 0")
_GERMAN = ("30 23125", "69 90009", "40 66969", "221 4710", "89 99998")


def phone(rng: Random, country: str, number: int) -> Phone:
    """A number for the customer with this running number; one in twelve is none."""
    if rng.random() < 1 / 12:
        return Phone(rng.choice(NO_PHONES), None)
    return _IN[country](rng, number)


def new_phone(number: int) -> Phone:
    """A number for somebody who changes it; written so that it is read alike in every country."""
    area, line = 912 + number // 100 % 88, 100 + number % 100
    return Phone(f"+1 ({area}) 555-0{line}", f"+1{area}5550{line}")


def _american(rng: Random, number: int) -> Phone:
    area, line = 212 + number // 100 % 700, 100 + number % 100
    typed = rng.choice(
        (
            f"({area}) 555-0{line}",
            f"{area}.555.0{line}",
            f"{area}-555-0{line}",
            f"{area}5550{line}",
            f"1{area}5550{line}",
            f"+1 {area} 555 0{line}",
            f"({area}) 555-0{line} x12",
        )
    )
    return Phone(typed, f"+1{area}5550{line}")


def _british(rng: Random, number: int) -> Phone:
    local = f"{_BRITISH[number // 1000 % len(_BRITISH)]}{number % 1000:03}"
    return Phone(rng.choice((f"+44 {local}", f"0044 {local}", f"0{local}")), f"+44{_digits(local)}")


def _australian(rng: Random, number: int) -> Phone:
    local = f"2 5550 {number % 10000:04}"
    return Phone(rng.choice((f"+61 {local}", f"0061 {local}", f"(0{local[0]}){local[1:]}")), f"+61{_digits(local)}")


def _german(rng: Random, number: int) -> Phone:
    local = f"{_GERMAN[number // 1000 % len(_GERMAN)]} {number % 1000:03}"
    return Phone(rng.choice((f"+49 {local}", f"0049-{local.replace(' ', '-')}")), f"+49{_digits(local)}")


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


_IN: dict[str, Callable[[Random, int], Phone]] = {
    "US": _american,
    "CA": _american,
    "GB": _british,
    "AU": _australian,
    "DE": _german,
}
