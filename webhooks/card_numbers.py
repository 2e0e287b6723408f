"""
Card numbers inside a text: runs of digits with the prefix and the length of a card network and a right check digit.

Source: ISO/IEC 7812 for the check digit; the networks' published prefixes and lengths.
"""

import re
from collections.abc import Iterable
from itertools import pairwise

# Where it begins and ends, and what comes in its place.
Change = tuple[int, int, str]

SHORTEST, LONGEST = 13, 19
_NETWORK = re.compile(
    r"""4(?:\d{12}|\d{15}|\d{18})                                        # Visa
      | (?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12} # Mastercard
      | 3[47]\d{13}                                                      # American Express
      | (?:6011|64[4-9]\d|65\d\d)\d{12,15}                               # Discover
      | (?:30[0-5]\d|3[689]\d\d)\d{10,15}                                # Diners Club
      | 35(?:2[89]|[3-8]\d)\d{12,15}                                     # JCB
      | 62\d{14,17}                                                      # UnionPay
      | (?:50|5[678]|63|67)\d{11,17}                                     # Maestro""",
    re.VERBOSE | re.ASCII,
)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

RUN = re.compile(r"\d(?:[ -]?+\d){12,}+")
# A form writes a space as a plus sign; in broken UTF-16 and UTF-32 there are NULs around each digit.
PLAIN_RUN = re.compile(r"\d(?:(?>\0{0,3}[ +-]?\0{0,3})\d){12,}+")
_GROUP = re.compile(r"\d+")


def changed(text: str, changes: Iterable[Change]) -> str:
    """The text with the changes made. They come in order; what two of them take out may overlap."""
    parts = []
    done = 0
    for start, end, after in changes:
        parts += [text[done:start], after]
        done = max(done, end)
    return "".join([*parts, text[done:]]) if parts else text


def cuts_in(text: str, runs: re.Pattern[str]) -> list[Change]:
    """
    What to take out of the text so that four digits stay of each card number.

    Shape:  in order. A number may begin and end wherever digits are set apart: "12 4242 4242 4242 4242 99" holds one.
            The four that stay count again, with what stands around them: a second time must not find more.
    """
    cuts: list[Change] = []
    for run in runs.finditer(text):
        cuts += _cuts_in_run(text, *run.span())
    return cuts


def _cuts_in_run(text: str, start: int, end: int) -> list[Change]:
    cuts: list[Change] = []
    # Of each digit read so far that is still there: its place and value, and whether a card number may begin with it.
    places: list[int] = []
    values: list[int] = []
    begins: list[bool] = []
    # The check sums before each: one doubles the digits at odd indexes, the other those at even ones.
    sums: tuple[list[int], list[int]] = ([0], [0])

    for group in _GROUP.finditer(text, start, end):
        new = list(range(*group.span()))
        if len(new) > LONGEST:
            places, values, begins, sums = [], [], [], ([0], [0])
            continue
        while new:
            for at in new:
                value = int(text[at])
                odd = len(values) % 2
                places.append(at)
                values.append(value)
                begins.append(at == new[0] and 2 <= value <= 6)
                sums[odd].append(sums[odd][-1] + value)
                sums[1 - odd].append(sums[1 - odd][-1] + _DOUBLED[value])
            first = _card_at_the_end(values, begins, sums)
            if first is None:
                break
            new = places[-4:]
            cuts.append((places[first], new[0], ""))
            between = (at for left, right in pairwise(new) for at in range(left + 1, right) if text[at] != "\0")
            cuts += [(at, at + 1, "") for at in between]
            del places[first:], values[first:], begins[first:], sums[0][first + 1 :], sums[1][first + 1 :]
    return sorted(cuts)


def _card_at_the_end(values: list[int], begins: list[bool], sums: tuple[list[int], list[int]]) -> int | None:
    """Where the longest card number begins that ends with the last digit."""
    count = len(values)
    # Luhn: the last digit counts once, the one before it doubled, and so on; the sum ends in 0.
    known = sums[1 - count % 2]
    for first in range(max(0, count - LONGEST), count - SHORTEST + 1):
        if begins[first] and (known[-1] - known[first]) % 10 == 0:
            digits = "".join(map(str, values[first:]))
            if _NETWORK.fullmatch(digits):
                return first
    return None
