"""
What went wrong, for people: what Klaviyo's answers mean, what to do, and whether sending again helps.

Source: Klaviyo's error codes and pointers as recorded. Its own `detail` may change any day, so nothing is told by it.
"""

import re
from typing import NamedTuple


class KnownError(NamedTuple):
    """
    One way in which a request fails.

    Shape:  name is a word for addresses and programs; title is short, meaning and remedy are whole sentences.
    """

    name: str
    title: str
    meaning: str
    remedy: str
    again_helps: bool


INVALID_EMAIL = KnownError(
    "invalid-email",
    "Invalid e-mail address",
    "Klaviyo does not accept this e-mail address.",
    "Correct the address in Vrio; what comes after that will go. Sending the same again will not help.",
    again_helps=False,
)
INVALID_PHONE = KnownError(
    "invalid-phone",
    "Phone number refused",
    "Klaviyo refused the phone number, and the request without it too.",
    "Look at Klaviyo's answer to the second attempt: it names what was wrong beside the number.",
    again_helps=False,
)
INVALID_REQUEST = KnownError(
    "invalid-request",
    "Invalid value",
    "Klaviyo did not accept a value of this request; the cause names the field.",
    "Correct the value in Vrio, then build the request again. The same request will be refused again.",
    again_helps=False,
)
KEY_REJECTED = KnownError(
    "key-rejected",
    "Key rejected",
    "Klaviyo does not know the connection's private key, or it was revoked.",
    "Give the connection a key that is good; what is held goes by itself.",
    again_helps=True,
)
SCOPE_MISSING = KnownError(
    "scope-missing",
    "Key may not do this",
    "The connection's private key is genuine, and lacks a scope that this request needs.",
    "Make a key with full access to Events, Profiles and Lists, and give it to the connection; what is held goes.",
    again_helps=True,
)
NOT_FOUND = KnownError(
    "endpoint-refused",
    "Endpoint refused",
    "Klaviyo does not offer the address, the method or the revision that this request uses.",
    "Tell your operator: KLAVIYO_API_URL or the connection's revision is wrong. What is held goes when it is right.",
    again_helps=True,
)
DUPLICATE_PROFILE = KnownError(
    "duplicate-profile",
    "Two profiles in Klaviyo",
    "The e-mail address and the phone number belong to two different profiles in Klaviyo.",
    "Merge the two profiles in Klaviyo, or take the number off one of them; then send this again.",
    again_helps=True,
)
TOO_LARGE = KnownError(
    "too-large",
    "Request too large",
    "The request is larger than Klaviyo takes.",
    "Shorten what makes it large in Vrio, usually descriptions or the number of lines of the order.",
    again_helps=False,
)
RATE_LIMITED = KnownError(
    "rate-limited",
    "Klaviyo asks to wait",
    "Too many requests reached this Klaviyo account at once.",
    "Nothing to do: the lane waits as long as Klaviyo asks, and goes on by itself.",
    again_helps=True,
)
UNAVAILABLE = KnownError(
    "unavailable",
    "Klaviyo unavailable",
    "Klaviyo had a fault of its own, and went on having it for as long as we tried.",
    "Send it again when Klaviyo's status page says that all is well.",
    again_helps=True,
)
NOT_KLAVIYOS = KnownError(
    "not-klaviyos-answer",
    "Stopped on the way",
    "Something between us and Klaviyo answered in its place, such as a proxy.",
    "Send it again; if it comes back, tell your operator.",
    again_helps=True,
)
TIMEOUT = KnownError(
    "timeout",
    "No answer in time",
    "Klaviyo did not answer in time; whether it took the request is unknown.",
    "Send it again: it carries the same unique id, so Klaviyo counts it once.",
    again_helps=True,
)
TLS = KnownError(
    "tls",
    "No secure connection",
    "No secure connection to Klaviyo could be made.",
    "Tell your operator: the clock or the certificates of this server may be wrong, or a proxy opens the traffic.",
    again_helps=True,
)
NO_CONNECTION = KnownError(
    "no-connection",
    "Klaviyo not reached",
    "Klaviyo could not be reached: its name was not found, or the connection broke.",
    "Tell your operator if other requests fail too; else send it again.",
    again_helps=True,
)
OUR_FAULT = KnownError(
    "our-fault",
    "Not made",
    "This request could not be made: a fault in this product.",
    "Report it with the delivery's id; send it again after an update.",
    again_helps=True,
)
UNKNOWN = KnownError(
    "unknown",
    "Refused",
    "Klaviyo refused this request.",
    "Look at Klaviyo's answer on the last attempt.",
    again_helps=False,
)

KNOWN_ERRORS = (
    INVALID_EMAIL,
    INVALID_PHONE,
    INVALID_REQUEST,
    KEY_REJECTED,
    SCOPE_MISSING,
    NOT_FOUND,
    DUPLICATE_PROFILE,
    TOO_LARGE,
    RATE_LIMITED,
    UNAVAILABLE,
    NOT_KLAVIYOS,
    TIMEOUT,
    TLS,
    NO_CONNECTION,
    OUR_FAULT,
    UNKNOWN,
)

_BY_BEGINNING = {
    "key_rejected": KEY_REJECTED,
    "endpoint_refused": NOT_FOUND,
    "no answer": TIMEOUT,
    "no connection": TIMEOUT,
    "the answer broke": TIMEOUT,
    "the TLS connection": TLS,
    "the host": NO_CONNECTION,
    "the connection broke": NO_CONNECTION,
    "the call failed": NO_CONNECTION,
    "Traceback": OUR_FAULT,
}


def known_error(cause: str) -> KnownError:
    """The error of a cause: the status, codes and pointers of an answer, or why there was none."""
    for beginning, known in _BY_BEGINNING.items():
        if cause.startswith(beginning):
            return known
    answered = re.match(r"(\d{3})\b", cause, re.ASCII)
    return _of_status(int(answered[1]), cause) if answered else UNKNOWN


def _of_status(status: int, cause: str) -> KnownError:
    if "(not Klaviyo's own answer)" in cause:
        return NOT_KLAVIYOS
    match status:
        case 401:
            return KEY_REJECTED
        case 403:
            return SCOPE_MISSING
        case 404 | 405 | 410 | 415:
            return NOT_FOUND
        case 408:
            return TIMEOUT
        case 409:
            return DUPLICATE_PROFILE
        case 413:
            return TOO_LARGE
        case 429:
            return RATE_LIMITED
        case 400 | 422:
            return _of_field(cause)
        case _:
            return UNAVAILABLE if status >= 500 else UNKNOWN


def _of_field(cause: str) -> KnownError:
    if "not_authenticated" in cause or "authentication_failed" in cause:
        return KEY_REJECTED
    # A long answer's last pointer may have been cut.
    pointers = re.findall(r"/\S+", cause)
    if any(pointer.endswith("/email") for pointer in pointers):
        return INVALID_EMAIL
    if pointers and all(pointer.endswith(("/phone_number", "/$phone_number")) for pointer in pointers):
        return INVALID_PHONE
    return INVALID_REQUEST
