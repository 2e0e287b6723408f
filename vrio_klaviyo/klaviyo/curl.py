"""
A request to Klaviyo as a line for a POSIX shell.

Running it sends a real request; of the same unique id Klaviyo ignores the copy. The key is never part of it: it is the
shell's variable KLAVIYO_API_KEY.
"""

from collections.abc import Mapping

from vrio_klaviyo.errors import Refused

KEY = "KLAVIYO_API_KEY"

# Linux: one argument of a command has 128 KiB at most.
LONGEST = 128_000


def as_curl(method: str, url: str, headers: Mapping[str, str], body: bytes) -> str:
    """
    The command that sends this request with curl, byte for byte.

    Raises: Refused when the body has bytes that no argument of a command can have.
    """
    words = ["curl", "-sS", "-X", _quoted(method), _quoted(url), "-H", f'"Authorization: Klaviyo-API-Key ${KEY}"']
    for name, value in headers.items():
        words += ["-H", _quoted(f"{name}: {value}")]
    # curl: `--data` would read a file where the body begins with @, `--data-raw` does not.
    return " ".join([*words, "--data-raw", _quoted(_text(body))])


def _text(body: bytes) -> str:
    if len(body) > LONGEST:
        raise Refused("The body is longer than an argument of a command may be. Download the body instead.")
    if b"\0" in body:
        raise Refused("The body has a NUL in it, which no shell can pass on. Download the body instead.")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Refused("The body is no text. Download the body instead.") from error


def _quoted(text: str) -> str:
    # Within single quotes a shell takes every sign as it is, but for the quote itself.
    return "'" + text.replace("'", "'\\''") + "'"
