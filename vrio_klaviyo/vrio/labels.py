"""
Vrio's words out of a list, one field each: yes and no, what is numbered, a currency.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import missing

from vrio_klaviyo.vrio.fields import TEXT_LENGTH, Unreadable, VrioField, as_text, cut

# Vrio: yes and no are written in all these ways, sometimes two of them in one webhook.
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Word(VrioField):
    """
    One of a list of words that Vrio numbers.

    Shape:  the word in small letters; accepted as label in any case, as number and as number in text.
    """

    def __init__(self, words: Mapping[int, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known = {word: word for word in words.values()} | {str(number): word for number, word in words.items()}

    def read(self, value: Any) -> str:
        try:
            return self.known[as_text(value).lower().replace("_", " ")]
        except KeyError:
            raise Unreadable("is a word that is not known here: left out") from None


class Label(VrioField):
    """One of a list of names that Vrio numbers, spelled as there; a name that is not in the list is taken as it is."""

    def __init__(self, names: Mapping[int, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known = {name.lower(): name for name in names.values()} | {str(n): name for n, name in names.items()}

    def read(self, value: Any) -> Any:
        text = as_text(value)
        if text.lower() in self.known:
            return self.known[text.lower()]
        if not text.isdecimal():
            return cut(text, TEXT_LENGTH)
        if text == "0":
            return missing
        raise Unreadable("is a number that is not known here: left out")


class Currency(Word):
    """An ISO 4217 code; Vrio's numbers stand for nine of them, and any other code is taken as it is."""

    def read(self, value: Any) -> str:
        if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha():
            return value.upper()
        return super().read(value).upper()


class Flag(VrioField):
    """Yes or no."""

    words: Mapping[str, bool] = _FLAGS

    def read(self, value: Any) -> bool:
        text = str(value).lower() if isinstance(value, bool) else as_text(value).lower()
        try:
            return self.words[text]
        except KeyError:
            raise Unreadable("is neither yes nor no: left out") from None


class Approval(Flag):
    """
    Whether the bank said yes.

    Source: Vrio help centre, "Transaction webhook". Vrio: the field is called `transaction_declined` and holds the word
            APPROVED; only REST has a true or false in it, which then means what the name says.
    """

    words = {"approved": True, "declined": False} | {word: not declined for word, declined in _FLAGS.items()}
