"""
A phone number in the one form that Klaviyo takes (E.164), or nothing.

Source: the published page, "Phone Number Formatting". Its own +15551234567 is a possible number but not a valid one, so
        a number with a country code has to be possible only; one without is understood only where it is valid.
"""

import re
import unicodedata

import phonenumbers

_LONGEST = 100
# The countries that the page gives +1 without asking more than the length.
_PLUS_ONE = frozenset({"US", "CA"})
_EXTENSION = re.compile(r"(?<=[\d)])[\s,;]*(?:ext(?:ension|n)?|x|#)[\s.:=]*\d*\s*$", re.ASCII | re.IGNORECASE)
_NO_DIGIT = re.compile(r"\D", re.ASCII)
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


def e164(raw: str, country: str) -> str | None:
    """
    The number as `+` and 7 to 15 digits, or None where none can be made of it.

    Shape:  extensions are dropped. country is that of the person's address, two letters, and asked only for a number
            without a country code.
    """
    if len(raw) > _LONGEST:
        return None
    text = _EXTENSION.sub("", _plain(raw))
    digits = _NO_DIGIT.sub("", text)
    if _is_placeholder(digits) or any(letter.isalpha() for letter in text):
        return None
    prefix = text[: text.index(digits[0])]
    if "+" in prefix or digits.startswith("00"):
        found = _international(digits.removeprefix("00"))
    else:
        found = _national(digits, country.upper())
    return found if found and _E164.fullmatch(found) else None


def _plain(raw: str) -> str:
    """Any script's digits as 0 to 9, and none of the invisible marks that come with copied numbers."""
    letters = (letter for letter in unicodedata.normalize("NFKC", raw) if unicodedata.category(letter) != "Cf")
    return "".join(str(unicodedata.decimal(letter, letter)) for letter in letters)


def _is_placeholder(digits: str) -> bool:
    """What people type to get past a form: too short, one digit over and over, nothing but zeros after a code."""
    return len(digits) < 7 or len(set(digits)) == 1 or len(digits.rstrip("0")) < 4


def _international(digits: str) -> str | None:
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    return _formatted(number) if possible else None


def _national(digits: str, country: str) -> str | None:
    if country in _PLUS_ONE and len(digits) == 10:
        return f"+1{digits}"
    if country in _PLUS_ONE and len(digits) == 11 and digits.startswith("1"):
        return f"+{digits}"
    try:
        number = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return None
    if digits.startswith(str(number.country_code)) and _is_mobile(digits):
        # Typed with the country's code and without the plus, as many do; read as a national number it is another's.
        return f"+{digits}"
    return _formatted(number) if phonenumbers.is_valid_number(number) else None


def _is_mobile(digits: str) -> bool:
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE


def _formatted(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
