"""What an answer of Klaviyo means to people."""

import pytest

from vrio_klaviyo.klaviyo import known_errors
from vrio_klaviyo.klaviyo.known_errors import KNOWN_ERRORS, KnownError, known_error

PROFILE = "/data/attributes/profile/data/attributes"


@pytest.mark.parametrize(
    ("cause", "meant"),
    [
        (f"400 invalid {PROFILE}/email", known_errors.INVALID_EMAIL),
        ("400 invalid /data/attributes/email", known_errors.INVALID_EMAIL),
        (f"400 invalid {PROFILE}/phone_number", known_errors.INVALID_PHONE),
        (f"400 invalid {PROFILE}/phone_number invalid /data/attributes/value", known_errors.INVALID_REQUEST),
        ("400 invalid /data/attributes/value", known_errors.INVALID_REQUEST),
        ("400", known_errors.INVALID_REQUEST),
        ("400 not_authenticated", known_errors.KEY_REJECTED),
        ("401 not_authenticated /data", known_errors.KEY_REJECTED),
        ("key_rejected", known_errors.KEY_REJECTED),
        ("403 permission_denied /data", known_errors.SCOPE_MISSING),
        ("403 (not Klaviyo's own answer)", known_errors.NOT_KLAVIYOS),
        ("404 not_found /data", known_errors.NOT_FOUND),
        ("405 method_not_allowed", known_errors.NOT_FOUND),
        ("endpoint_refused", known_errors.NOT_FOUND),
        ("408", known_errors.TIMEOUT),
        ("409 duplicate_profile /data/attributes", known_errors.DUPLICATE_PROFILE),
        ("413", known_errors.TOO_LARGE),
        ("422 invalid /data", known_errors.INVALID_REQUEST),
        ("429 throttled", known_errors.RATE_LIMITED),
        ("500", known_errors.UNAVAILABLE),
        ("503", known_errors.UNAVAILABLE),
        ("no answer within 10 s", known_errors.TIMEOUT),
        ("no connection within 3.05 s", known_errors.TIMEOUT),
        ("the answer broke off", known_errors.TIMEOUT),
        ("the TLS connection failed", known_errors.TLS),
        ("the host's name was not resolved", known_errors.NO_CONNECTION),
        ("the connection broke or was refused", known_errors.NO_CONNECTION),
        ("the call failed (InvalidHeader)", known_errors.NO_CONNECTION),
        ("Traceback (most recent call last):", known_errors.OUR_FAULT),
        ("418", known_errors.UNKNOWN),
        ("", known_errors.UNKNOWN),
    ],
)
def test_each_cause_is_known_for_what_it_is(cause: str, meant: KnownError) -> None:
    assert known_error(cause) is meant


@pytest.mark.parametrize("known", KNOWN_ERRORS, ids=lambda known: known.name)
def test_each_says_in_whole_sentences_what_it_means_and_what_to_do(known: KnownError) -> None:
    assert known.meaning.endswith(".")
    assert known.remedy.endswith(".")
    assert not known.title.endswith(".")
    assert known.name == known.name.lower()


def test_each_is_told_apart_by_its_name() -> None:
    assert len({known.name for known in KNOWN_ERRORS}) == len(KNOWN_ERRORS)
