"""
Vrio's habits of writing texts and ids, one field each: number or text, many ways to say "nothing".

Every field ends in one of three ways: a value, absent (the record's own default stands), or `Unreadable`.
"""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, missing

TEXT_LENGTH = 255
LONG_TEXT_LENGTH = 1_000
EMAIL_LENGTH = 320
ID_LENGTH = 64
LINK_LENGTH = 2_000

TRACKING = tuple(f"tracking{number}" for number in range(1, 21))

MISSING = "is missing"

_BLANKS = re.compile(r"[\t\n\v\f\r\x85]+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONE_SURROGATES = re.compile(r"[\ud800-\udfff]")
_LINK = re.compile(r"https?://[^\s<>\"]+\Z", re.IGNORECASE)

_MOST_DIGITS = 20


class Unreadable(ValidationError):
    """
    A value that cannot be read, or not as it is.

    Shape:  `why` completes a sentence that begins with the field's path and never quotes the value; `instead` is what
            stands in its place, nothing when None.
    """

    def __init__(self, why: str | Mapping[Any, Any], instead: Any = None) -> None:
        super().__init__(why if isinstance(why, str) else dict(why), valid_data=instead)


def clean(text: str) -> str:
    """Text without what no screen, database or vendor wants: control characters, halves of characters, outer blanks."""
    if not (text.isascii() and text.isprintable()):
        text = _BLANKS.sub(" ", text)
        text = _LONE_SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))
    return text.strip()


def as_text(value: Any) -> str:
    """A scalar of JSON as text; Unreadable for anything else."""
    match value:
        case str():
            return value
        case bool():
            raise Unreadable("is true or false instead of text: left out")
        case int():
            return str(value)
        case Decimal() if value.is_finite() and abs(value.adjusted()) < _MOST_DIGITS:
            return f"{value:f}"
    raise Unreadable("is not text: left out")


def cut(text: str, length: int) -> str:
    """The text when it is short enough; otherwise Unreadable, with what is left of it in its place."""
    if len(text) <= length:
        return text
    raise Unreadable(f"is longer than {length:,} characters: cut", instead=text[:length].rstrip())


class VrioField(fields.Field[Any]):
    """What all fields share: the forms that "nothing" takes. Where it says nothing, the record's default stands."""

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        if isinstance(value, str):
            value = clean(value)
        if value is missing or value is None or value in ("", "---"):
            if self.required:
                raise Unreadable(MISSING)
            return self.load_default
        return self.read(value)

    def read(self, value: Any) -> Any:
        """The value, `missing` when it stands for nothing; raises Unreadable."""
        raise NotImplementedError


class Text(VrioField):
    """Free text; a number is taken for its digits."""

    length = TEXT_LENGTH

    def read(self, value: Any) -> str:
        return cut(as_text(value), self.length)


class LongText(Text):
    """Text that a person or a bank wrote in sentences."""

    length = LONG_TEXT_LENGTH


_LONG_TEXT = LongText()


class Tracking(VrioField):
    """
    tracking1 to tracking20 of an order, as one value that holds the filled ones.

    Shape:  its data_key is empty, as it reads from the whole thing; a note then still names the one field.
    """

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        filled: dict[str, str] = {}
        unreadable: dict[str, Any] = {}
        for name in TRACKING:
            if (value := (data or {}).get(name)) is None:
                continue
            try:
                text = _LONG_TEXT.deserialize(value)
            except Unreadable as error:
                unreadable[name], text = error.messages, error.valid_data or missing
            if text is not missing:
                filled[name] = text
        if unreadable:
            raise Unreadable(unreadable, instead=filled)
        return filled


class Name(Text):
    """The name of a person or a place, where a number is a mistake."""

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise Unreadable("is not text: left out")
        return cut(value, self.length)


class Email(Name):
    """
    An e-mail address in small letters.

    Shape:  not judged here; one that is too long for any mail server is not cut, as that would make another address.
            Without the invisible marks that come along when it is copied from somewhere.
    """

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or len(value) > EMAIL_LENGTH:
            raise Unreadable("is not an e-mail address: left out")
        return "".join(sign for sign in value if unicodedata.category(sign) != "Cf").strip().lower()


class Link(VrioField):
    """The address of a web page; one that is too long is not cut, as that would make another page."""

    def read(self, value: Any) -> str:
        if isinstance(value, str) and len(value) <= LINK_LENGTH and _LINK.match(value):
            return value
        raise Unreadable("is not the address of a web page: left out")


class CountryCode(VrioField):
    """Two letters, large."""

    def read(self, value: Any) -> str:
        if isinstance(value, str) and len(value) == 2 and value.isascii() and value.isalpha():
            return value.upper()
        raise Unreadable("is not a country of two letters: left out")


class Id(VrioField):
    """A reference as text."""

    def read(self, value: Any) -> Any:
        text = as_text(value)
        if len(text) > ID_LENGTH:
            raise Unreadable("is too long for an id: left out")
        # A sender that counts in floating point only writes 1668.0.
        text = text.removesuffix(".0")
        # Vrio: "0" refers to nothing.
        return missing if text == "0" else text


_ID = Id()


def identity(value: Any) -> str | None:
    """A value as an id, or None where it is none or cannot be read."""
    try:
        found = _ID.deserialize(value)
    except Unreadable:
        return None
    return None if found is missing else str(found)
