"""Is a source's key for Vrio's REST API good."""

from dataclasses import dataclass
from datetime import UTC

import requests

from vrio_klaviyo.connecting import Verdict
from vrio_klaviyo.errors import CallFailed, NotAuthorized
from vrio_klaviyo.vrio.client import VrioClient

CHECK_S = 10.0
# Vrio: no customer has this id, and only who may ask is told so.
NOBODY = "0"


@dataclass(frozen=True, slots=True)
class VrioKeyCheck:
    """One check of one key; sentence is for people."""

    verdict: Verdict
    sentence: str


def check_vrio_key(http: requests.Session, base_url: str, key: str) -> VrioKeyCheck:
    """
    Ask Vrio for a customer that there is not.

    Source: Vrio API reference, gateway responses: 401 and 403 for a key that is wrong or missing.
    """
    client = VrioClient(base_url, key.strip(), http, UTC, read_timeout_s=CHECK_S, total_timeout_s=CHECK_S)
    try:
        client.customer(NOBODY)
    except NotAuthorized:
        sentence = "Vrio does not take this key. Copy it again from Vrio, and see that it may read."
        return VrioKeyCheck(Verdict.REJECTED, sentence)
    except CallFailed as error:
        if error.answer is None or not 200 <= error.answer.status < 300:
            return VrioKeyCheck(Verdict.UNKNOWN, f"Vrio could not be asked about the key: {error.reason}.")
    return VrioKeyCheck(Verdict.ACCEPTED, "Vrio takes this key.")
