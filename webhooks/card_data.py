"""
Takes card numbers and security codes out of a webhook's body before it is kept.

It works on the spelling of the JSON, not on a parsed tree, so that whatever stays keeps every byte. Three rules, chosen
by the field's name (for the elements of an array: the array's name):

- A field named like a card number keeps the last four of its digits, as a string: "424242XXXXXX4242" becomes "4242".
  With fewer than four it keeps what digits there are.
- A field named like a security code becomes "" or, where it was a number, null.
- In any other text, keys too, a run of 13 to 19 digits with the prefix and the length of a card network and a right
  check digit becomes its last four digits. Between two digits may stand one space or one dash. A JSON number becomes a
  string, because 0042 is no number. Digits of any script count; those behind a number's decimal point do not.

An object in a card number's or security code's place follows the rule of that place, except for fields whose own names
say something else. Left alone: null, true, false, phones, ids, tracking numbers, SKUs and Vrio's `gateway_*` codes.
Not read: what is encoded once more inside a string (percent signs, base64), and a security code in somebody's prose.

Source: "Card data rule". Names that Vrio does not use are our choice, from what shops and gateways call them.
"""

import json
import re
from itertools import accumulate

from webhooks.card_numbers import LONGEST, PLAIN_RUN, RUN, SHORTEST, Change, changed, cuts_in
from webhooks.field_names import SENSITIVE, Rule, rule_of, sensitive
from webhooks.reading import is_json

# What ends a value is no part of a name, or the next name would begin elsewhere once the value is gone.
_PLAIN_FIELD = re.compile(r"""(?<![\w.\[\]-])([\w.\[\]-]++)([\\"']*+[ ]?+[:=][ ]?+[\\"']*+)(\d[^\s"'&,;<>{}\\]*+)""")

_TOKEN = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"([ \t\r\n]*+:)?|(-?[0-9][-+.0-9eE]*+)|[{}\[\]]')
_CHARACTER = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|.", re.DOTALL)

_OPENING = re.compile(r"\ufeff?[ \t\r\n]*+[{\[]")
_NAME = re.compile(r'"([A-Za-z0-9_ .\[\]-]++)"[ \t\r\n]*+:')
_COLON = re.compile(r"[ \t\r\n]*+:[ \t\r\n]*+")
_SCALAR = re.compile(r'"([^"\\]*+)"|(-?[0-9][-+.0-9eE]*+)|null|true|false')
# A transaction has 8 KB and 150 names, one of them sensitive. Webhooks of one kind have the same names.
_USUAL_LENGTH, _USUAL_NAMES, _USUAL_SENSITIVE_NAMES = 65_536, 500, 8
# The escapes of Latin, Greek and Cyrillic letters, of typographic marks and of most emoji hide no digit and no name.
_HIDING_ESCAPE = re.compile(r"\\u(?!00[89a-fA-F]|0[1-5]|20|[dD]83[cdCD]|[dD][c-fC-F])")
_DIGITS_AS_ZEROS = bytes(ord("0") if byte in b"0123456789" or byte >= 0x80 else byte for byte in range(256))


def scrubbed(body: bytes) -> bytes:
    """
    The body without card numbers and security codes, otherwise byte for byte as it came.

    Shape:  the same object when there is nothing to take out. JSON stays JSON, in UTF-16 and UTF-32 too; a second time
            changes nothing more. What is no JSON, or nested deeper than Python reads, counts as plain text.
    """
    encoding: str = json.detect_encoding(body)
    if not encoding.startswith("utf-8"):
        # Python would take the byte order mark away and write one of its own.
        if encoding in ("utf-16", "utf-32"):
            encoding += "-le" if body[0] == 0xFF else "-be"
        try:
            wide = body.decode(encoding, "surrogatepass")
        except UnicodeDecodeError:
            wide = ""
        if (after := _scrubbed_json(wide)) is not None:
            return body if after == wide else after.encode(encoding, "surrogatepass")
    text = body.decode("utf-8", "surrogateescape")
    after = _scrubbed_quickly(body, text)
    if after is None:
        after = _scrubbed_json(text)
    if after is None:
        after = _scrubbed_plain(text)
        # Without the numbers it may be JSON, whose rules say more.
        if after != text and (as_json := _scrubbed_json(after)) is not None:
            after = as_json
    return body if after == text else after.encode("utf-8", "surrogateescape")


def _scrubbed_quickly(body: bytes, text: str) -> str | None:
    """A usual webhook's text, scrubbed in a fraction of the time; None when it needs a closer look."""
    if len(text) > _USUAL_LENGTH or not _OPENING.match(text) or "\0" in text:
        return None
    if b"0" * SHORTEST in body.translate(_DIGITS_AS_ZEROS, b" -") and RUN.search(text):
        return None
    if "\\u" in text and _HIDING_ESCAPE.search(text):
        return None
    names = frozenset(_NAME.findall(text))
    if len(names) > _USUAL_NAMES:
        return None
    rules = sensitive(names)
    if not rules:
        return text
    # Each name is searched for on its own.
    if len(rules) > _USUAL_SENSITIVE_NAMES or not is_json(text):
        return None
    changes: list[Change] = []
    for name, rule in rules.items():
        quoted = f'"{name}"'
        end = 0
        while (start := text.find(quoted, end)) >= 0:
            end = start + len(quoted)
            colon = _COLON.match(text, end)
            # Behind a backslash the quotation mark is a part of a longer name.
            if colon is None or text[start - 1] == "\\":
                continue
            value = _SCALAR.match(text, colon.end())
            if value is None:
                return None
            if value[1] is not None:
                changes.append((*value.span(1), _string(value[1], rule)))
            elif value[2] is not None:
                changes.append((*value.span(2), _number(value[2], rule)))
    return changed(text, sorted(changes))


def _scrubbed_json(text: str) -> str | None:
    """The JSON text scrubbed; None when it is no JSON."""
    if not is_json(text):
        return None
    changes: list[Change] = []
    rule = Rule.TEXT
    around: list[Rule] = []
    for token in _TOKEN.finditer(text):
        string, colon, number = token.groups()
        if string is not None:
            # A key is text itself, whatever it says about its value.
            if (after := _string(string, Rule.TEXT if colon else rule)) != string:
                changes.append((*token.span(1), after))
            if colon:
                rule = rule_of(json.loads(f'"{string}"') if "\\" in string else string)
                if rule is Rule.TEXT and around[-1] in SENSITIVE:
                    rule = around[-1]
        elif number is not None:
            if (after := _number(number, rule)) != number:
                changes.append((*token.span(3), after))
        elif token[0] in "{[":
            around.append(rule)
        else:
            rule = around.pop()
    return changed(text, changes)


def _scrubbed_plain(text: str) -> str:
    """What is no JSON, scrubbed: values with a name before them, as in forms and broken JSON, and runs of digits."""

    def field(found: re.Match[str]) -> str:
        name, between, value = found.groups()
        rule = rule_of(name)
        if rule not in SENSITIVE:
            return found[0]
        # The X keep what is left, and what follows, from being taken for a value again.
        return f"{name}{between}XXXX{_last_four(value) if rule is Rule.NUMBER else ''}"

    text = _PLAIN_FIELD.sub(field, text)
    return changed(text, cuts_in(text, PLAIN_RUN))


def _string(spelled: str, rule: Rule) -> str:
    """What stays of a string, both as JSON spells it between the quotation marks."""
    if rule is Rule.EXEMPT or (rule is Rule.TEXT and len(spelled) < SHORTEST):
        return spelled
    if rule is Rule.CODE:
        return ""
    # No escape but \u can spell a digit, a space or a dash.
    if "\\u" not in spelled:
        if rule is Rule.NUMBER:
            return _last_four(spelled)
        return changed(spelled, cuts_in(spelled, RUN))
    text: str = json.loads(f'"{spelled}"')
    if rule is Rule.NUMBER:
        kept = _last_four(text)
        return spelled if kept == text else kept
    at = [0, *accumulate(map(len, _CHARACTER.findall(spelled)))]
    return changed(spelled, [(at[start], at[end], "") for start, end, _ in cuts_in(text, RUN)])


def _number(spelled: str, rule: Rule) -> str:
    """What stays of a JSON number, as JSON."""
    if rule is Rule.EXEMPT or (rule is Rule.TEXT and len(spelled) < SHORTEST):
        return spelled
    if rule is Rule.CODE:
        return "null"
    digits = _integer_digits(spelled)
    return f'"{digits[-4:]}"' if rule is Rule.NUMBER or cuts_in(digits, RUN) else spelled


def _integer_digits(spelled: str) -> str:
    """The digits before a JSON number's point; of 4.242424242424242e+15, PHP's way with a card number, all sixteen."""
    whole, _, rest = spelled.removeprefix("-").partition(".")
    fraction, _, exponent = rest.lower().partition("e")
    if len(fraction) >= SHORTEST and len(exponent) in (2, 3):
        length = len(whole) + int(exponent)
        if SHORTEST <= length <= LONGEST:
            return (whole + fraction)[:length].ljust(length, "0")
    return whole.lower().partition("e")[0]


def _last_four(text: str) -> str:
    return "".join([character for character in text if character.isdecimal()][-4:])
