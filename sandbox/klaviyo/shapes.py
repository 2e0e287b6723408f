"""
The building blocks of a contract: checks that look at one value and note what is wrong with it, and where.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.klaviyo.documents import MAX_NESTING, Path, deeper_than, pointer
from sandbox.klaviyo.problems import Problem

INVALID_PAYLOAD = "The payload provided in the request is invalid."
INVALID_PHONE = "Invalid phone number format (Example of a valid format: +12345678901)"

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
FURTHEST_AHEAD = timedelta(days=365)

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]")


@dataclass(frozen=True)
class Rules:
    """
    What the checks must know beside the body: the time, and which phone numbers this sandbox refuses.

    Shape:  with `ignores_phones` a refused number is left out of an otherwise good request instead of failing it.
    """

    now: datetime
    refused_phones: tuple[str, ...] = ()
    ignores_phones: bool = False

    def refuses(self, phone: object) -> bool:
        return isinstance(phone, str) and phone.startswith(self.refused_phones)

    def ignores(self, phone: object) -> bool:
        return self.ignores_phones and self.refuses(phone)


@dataclass
class Findings:
    """
    What the checks of one request have complained about so far.
    """

    rules: Rules
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: Path, detail: str) -> None:
        self.problems.append(Problem("invalid", detail, pointer(path) or "/data"))


Check = Callable[[Any, Path, Findings], None]


def resource(name: str, required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """
    An object with these members and no others; `name` is what Klaviyo's complaints call it.
    """
    members = {**required, **(optional or {})}

    def check(value: Any, path: Path, findings: Findings) -> None:
        if not isinstance(value, dict):
            findings.add(path, INVALID_PAYLOAD)
            return
        for member in required:
            if member not in value:
                findings.add((*path, member), f"'{member}' is a required field for the resource '{name}'.")
        for member, item in value.items():
            if member in members:
                members[member](item, (*path, member), findings)
            else:
                # Klaviyo: its description leaves objects open, yet the API refuses members that it does not know.
                findings.add((*path, member), f"'{member}' is not a valid field for the resource '{name}'.")

    return check


def nullable(inner: Check) -> Check:
    def check(value: Any, path: Path, findings: Findings) -> None:
        if value is not None:
            inner(value, path, findings)

    return check


def list_of(inner: Check, at_least: int = 0) -> Check:
    def check(value: Any, path: Path, findings: Findings) -> None:
        if not isinstance(value, list) or len(value) < at_least:
            findings.add(path, INVALID_PAYLOAD)
            return
        for number, item in enumerate(value):
            inner(item, (*path, number), findings)

    return check


def either(*kinds: type) -> Check:
    """
    A plain value of one of these Python types; a JSON true or false counts as a bool only.
    """

    def check(value: Any, path: Path, findings: Findings) -> None:
        if type(value) not in kinds:
            findings.add(path, INVALID_PAYLOAD)

    return check


def exactly(word: str) -> Check:
    def check(value: Any, path: Path, findings: Findings) -> None:
        if value != word:
            findings.add(path, f"The value must be '{word}'.")

    return check


def text(name: str, at_least: int = 0, at_most: int | None = None) -> Check:
    def check(value: Any, path: Path, findings: Findings) -> None:
        if not isinstance(value, str):
            findings.add(path, f"{name} must be a string.")
        elif len(value) < at_least:
            findings.add(path, f"Length of {name} must be at least {at_least} characters.")
        elif at_most is not None and len(value) > at_most:
            findings.add(path, f"Length of {name} must be no more than {at_most} characters.")

    return check


def free_object(at_most: int | None = None) -> Check:
    """
    An object whose members the client chooses, within the limit on nesting.
    """

    def check(value: Any, path: Path, findings: Findings) -> None:
        if not isinstance(value, dict):
            findings.add(path, INVALID_PAYLOAD)
        elif at_most is not None and len(value) > at_most:
            findings.add(path, f"The number of properties must not exceed {at_most}.")
        elif deeper_than(value, MAX_NESTING):
            findings.add(path, f"Properties must not be nested deeper than {MAX_NESTING} levels.")

    return check


def email(value: Any, path: Path, findings: Findings) -> None:
    if not isinstance(value, str) or len(value) > 100 or not _EMAIL.fullmatch(value):
        findings.add(path, "Invalid email address")


def phone(value: Any, path: Path, findings: Findings) -> None:
    misshapen = not isinstance(value, str) or not _PHONE.fullmatch(value)
    if misshapen or (findings.rules.refuses(value) and not findings.rules.ignores_phones):
        findings.add(path, INVALID_PHONE)


def currency(value: Any, path: Path, findings: Findings) -> None:
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        findings.add(path, "The value must be an ISO 4217 currency code.")


def moment(value: Any, path: Path, findings: Findings) -> None:
    when = read_time(value)
    if when is None:
        findings.add(path, "Invalid date-time (Example of a valid format: 2022-11-08T00:00:00+00:00)")
    elif not EARLIEST <= when <= findings.rules.now + FURTHEST_AHEAD:
        findings.add(path, "The time must be after the year 1990 and no more than 1 year in the future.")


def read_time(value: Any) -> datetime | None:
    """
    An ISO 8601 date-time, cut to the second, or None.

    Units:  UTC; how Klaviyo reads a time without an offset is not known, here it is taken as UTC.
    """
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        when = datetime.fromisoformat(value)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None
