"""
What a field's name says about its value: a card number, a security code, something that is neither, or just text.

Source: our choice, from what Vrio, shops and gateways call these fields.
"""

import re
from enum import Enum
from functools import lru_cache


class Rule(Enum):
    """What happens to a value."""

    TEXT = "card numbers in it lose all but four digits"
    NUMBER = "the last four digits stay"
    CODE = "nothing stays"
    EXEMPT = "everything stays"


SENSITIVE = (Rule.NUMBER, Rule.CODE)

_SHORT_NAME = 64
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN_WORDS = re.compile(r"[ _.\[\]-]+")
# One in ten barcodes that begin with a 4, as German ones do, would pass for an old Visa number of 13 digits.
_EXEMPT_NAME = re.compile(
    r"""gateway_.* | .*phone.* | (?:.*_)?id | (?:.*_)?tracking_?(?:number|num|no|code|url|link)s?
      | (?:.*_)?(?:sku|barcode|ean|upc|gtin)""",
    re.VERBOSE | re.DOTALL,
)
_CODE_NAME = re.compile(
    r"""(?:.*_)?(?: (?:cvv|cvc|cvn|cvd|csc|cv2)(?:_?(?:2|code|number|num|value))?
                  | (?:card_?)?security_?code | card_?(?:id_?)?code | verification_?value
                  | card_?verification(?:_?(?:code|number|data))? )(?:_?[0-9])?""",
    re.VERBOSE,
)
_NUMBER_NAME = re.compile(
    r"""(?:.*_)?(?: (?:credit|debit)?(?:card|cc)_?(?:number|num|no) | pan
                  | (?:primary|card)_?account_?number )(?:_?[0-9])?""",
    re.VERBOSE,
)
# What a bank answered about a security code is none; a gift card belongs to no network.
_NO_CODE_NAME = re.compile(r"response|result|status|match|check|gift")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_ .\[\]-]+")


@lru_cache(maxsize=64)
def sensitive(names: frozenset[str]) -> dict[str, Rule]:
    """The names among these whose values do not stay as they are."""
    return {name: rule for name in names if (rule := rule_of(name)) in SENSITIVE}


def rule_of(name: str) -> Rule:
    """What happens to a field of this name."""
    return _rule_of_short(name) if len(name) <= _SHORT_NAME else _rule_by_name(name)


def _rule_by_name(name: str) -> Rule:
    spelled = _BETWEEN_WORDS.sub("_", _CAMEL.sub("_", name)).strip("_").lower()
    if _EXEMPT_NAME.fullmatch(spelled):
        return Rule.EXEMPT
    if _PLAIN_NAME.fullmatch(name):
        if _CODE_NAME.fullmatch(spelled) and not _NO_CODE_NAME.search(spelled):
            return Rule.CODE
        if _NUMBER_NAME.fullmatch(spelled) and "gift" not in spelled:
            return Rule.NUMBER
    return Rule.TEXT


_rule_of_short = lru_cache(maxsize=1024)(_rule_by_name)
