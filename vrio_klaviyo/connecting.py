"""Is a connection's key good, and which Klaviyo account is behind it."""

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from threading import Thread

import requests

from vrio_klaviyo import log
from vrio_klaviyo.errors import Answer, CallFailed, InvalidInput, NotAuthorized, Retriable, Throttled
from vrio_klaviyo.klaviyo.accounts import Account, account_in, account_of_key
from vrio_klaviyo.klaviyo.client import KlaviyoClient
from vrio_klaviyo.klaviyo.requests import Rendered, Style, headers
from vrio_klaviyo.store import holding
from vrio_klaviyo.store.accounts import account_of, describe_account
from vrio_klaviyo.store.connections import Connection, KeyStatus, change_key, find_connection, private_key
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Database, Session
from vrio_klaviyo.store.holding import ENDPOINT_REFUSED, KEY_REJECTED
from vrio_klaviyo.store.key_checks import record_key

CHECK_S = 10.0
# Klaviyo: /api/accounts may be asked once a second, so a second check in a row is told to wait that long.
LONGEST_WAIT_S = 2.0
# What was asked about so lately is not asked about again because a bell was heard twice.
LATELY = timedelta(minutes=30)

ACCOUNTS = "accounts:read"
# What is asked for each scope, the account first. Klaviyo: brackets in a query must be percent-encoded.
PROBES = {
    ACCOUNTS: "/api/accounts",
    "profiles:read": "/api/profiles?page%5Bsize%5D=1",
    "events:read": "/api/events?page%5Bsize%5D=1",
    "lists:read": "/api/lists?page%5Bsize%5D=1",
}
# Klaviyo: nothing tells whether a key may write but writing.
WRITE_SCOPES = ("profiles:write", "events:write", "lists:write")
# What is asked for a scope to write that a delivery was refused for: a request without what it cannot do without. Who
# may not write is told so (403), who may is told what is missing (400), and nothing is written either way.
REFUSED_PROBES = {
    "events:write": ("/api/events", b'{"data":{"type":"event","attributes":{}}}'),
    "profiles:write": ("/api/profile-import", b'{"data":{"type":"profile","attributes":{}}}'),
}

OTHER_KEY = "Another key was saved while Klaviyo was being asked about this one."

YES, NO, NOT_TESTED = "yes", "no", "not tested"


class Verdict(StrEnum):
    """What Klaviyo says of a key; unknown when it could not be asked."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyCheck:
    """
    One check of one key.

    Shape:  sentence is for people. account is as far as Klaviyo told of it; scopes says yes, no or not tested.
    """

    verdict: Verdict
    sentence: str
    account: Account = field(default_factory=Account)
    scopes: dict[str, str] = field(default_factory=lambda: dict.fromkeys((*PROBES, *WRITE_SCOPES), NOT_TESTED))


def check_key(
    client: KlaviyoClient, within_s: float = CHECK_S, refused: Iterable[str] = (), *, patient: bool = True
) -> KeyCheck:
    """
    Ask Klaviyo about the key, and judge by what it has told in time.

    Shape:  `refused` are the scopes for which a delivery was refused: as long as one of them is, the key is. Who is
            `patient` waits for the moment that Klaviyo may ask for.
    Source: requirements 003-2, 003-9 and 003-70; Klaviyo's answers to a bad key and to a missing scope as recorded.
    """
    told: dict[str, Answer | CallFailed] = {}
    wanted, ends = tuple(refused), time.monotonic() + within_s
    # A single call may take longer than all of them together may, and cannot be called off.
    asking = Thread(target=_ask, args=[client, told, ends, wanted, patient], daemon=True)
    asking.start()
    asking.join(within_s)
    return _judged(dict(told), wanted)


def _ask(
    client: KlaviyoClient, told: dict[str, Answer | CallFailed], ends: float, refused: tuple[str, ...], patient: bool
) -> None:
    """Ask for one scope after the other, until an answer shows that more of them would tell nothing."""
    for scope, path in PROBES.items():
        if time.monotonic() > ends:
            return
        told[scope] = _answer(partial(client.get, path), patient)
        if scope == ACCOUNTS and not _is_genuine(told[scope]):
            return
    for scope in refused:
        if time.monotonic() < ends:
            path, body = REFUSED_PROBES[scope]
            told[scope] = _answer(partial(client.send, _refused_before(path, body)), patient)


def _refused_before(path: str, body: bytes) -> Rendered:
    return Rendered(method="POST", path=path, headers=headers(Style()), body=body, phone=None)


def _answer(ask: Callable[[], Answer], patient: bool) -> Answer | CallFailed:
    try:
        return ask()
    except Throttled as error:
        if not patient or error.retry_after_s > LONGEST_WAIT_S:
            return error
        time.sleep(error.retry_after_s)
        return _answer(ask, patient=False)
    except CallFailed as error:
        return error


def _judged(told: dict[str, Answer | CallFailed], refused: tuple[str, ...]) -> KeyCheck:
    first = told.get(ACCOUNTS, _NO_ANSWER)
    if isinstance(first, NotAuthorized) and not _is_genuine(first):
        sentence = "Klaviyo does not know this key, or it was revoked. Copy the private key again; it starts with pk_."
        return KeyCheck(verdict=Verdict.REJECTED, sentence=sentence)
    if not _is_genuine(first):
        return _unheard(first)
    for scope in refused:
        if isinstance(answer := told.get(scope, _NO_ANSWER), Throttled | Retriable):
            return _unheard(answer)
    scopes = {scope: _may(told.get(scope)) for scope in (*PROBES, *WRITE_SCOPES)}
    missing = ", ".join(scope for scope, may in scopes.items() if may == NO)
    return KeyCheck(
        # Klaviyo: a key's scopes are fixed when it is made. Without those to write nothing goes out with it.
        verdict=Verdict.REJECTED if any(scopes[scope] == NO for scope in WRITE_SCOPES) else Verdict.ACCEPTED,
        sentence="Klaviyo knows this key." + (f" It lacks the scopes {missing}." if missing else ""),
        account=account_of_key(first),
        scopes=scopes,
    )


_NO_ANSWER = Retriable("no answer in time")


def _unheard(told: Answer | CallFailed) -> KeyCheck:
    """What is said when an answer tells nothing of the key."""
    if isinstance(told, Throttled):
        sentence = f"Klaviyo is busy and asks to wait {told.retry_after_s:g} s. The key was not checked."
        return KeyCheck(verdict=Verdict.UNKNOWN, sentence=sentence)
    cause = told.reason if isinstance(told, CallFailed) else f"{told.status} (not Klaviyo's own answer)"
    return KeyCheck(verdict=Verdict.UNKNOWN, sentence=f"Klaviyo could not be asked about the key: {cause}.")


def _is_genuine(told: Answer | CallFailed) -> bool:
    """Whether the first answer shows that Klaviyo knows the key: it has the account, or says which scope is missing."""
    return (isinstance(told, Answer) and account_in(told) is not None) or _lacks_scope(told)


def _lacks_scope(told: Answer | CallFailed | None) -> bool:
    # Klaviyo: 403 is a good key without the scope, 401 (and in older revisions 400) a bad one.
    return isinstance(told, NotAuthorized) and told.answer is not None and told.answer.status == 403


def _may(told: Answer | CallFailed | None) -> str:
    return YES if isinstance(told, Answer) else NO if _lacks_scope(told) else NOT_TESTED


def check_connection(
    db: Database,
    vault: Vault,
    http: requests.Session,
    base_url: str,
    connection_id: str,
    now: datetime,
    *,
    patient: bool = True,
) -> KeyCheck:
    """
    Ask Klaviyo about a connection's key, and write down what it said.

    Shape:  a key that is taken sets free what was held because it, or the endpoint, had been refused. A check without
            an answer leaves standing what was known before, and so does one about a key that was replaced meanwhile.
            A kept key that cannot be opened counts as refused.
    Raises: NotFound.
    """
    with db.read() as session:
        connection = find_connection(session, connection_id)
    check = _checked(connection, vault, http, base_url, patient)
    resumed = 0
    with db.write() as session:
        # PostgreSQL: a key share is left to the attempts that a lane opens meanwhile, because they refer to it.
        known = session.get_one(Connection, connection.id, with_for_update={"key_share": True})
        if known.key_sealed != connection.key_sealed:
            return KeyCheck(verdict=Verdict.UNKNOWN, sentence=OTHER_KEY)
        match check.verdict:
            case Verdict.ACCEPTED:
                resumed = _accepted(session, connection, check, now)
            case Verdict.REJECTED:
                record_key(session, connection_id, KeyStatus.REJECTED, check.sentence, now, scopes=check.scopes)
            case Verdict.UNKNOWN:
                unchecked = known.key_status == KeyStatus.UNCHECKED
                reason = check.sentence if unchecked else known.key_reason
                record_key(session, connection_id, KeyStatus(known.key_status), reason, now)
    log.info("connection.checked", connection=connection_id, verdict=str(check.verdict), resumed=resumed)
    return check


def recheck_connection(
    db: Database, vault: Vault, http: requests.Session, base_url: str, connection_id: str, now: datetime
) -> None:
    """
    Ask Klaviyo once more about a key that it did not take, unless that was done lately; nothing is waited for.

    Raises: NotFound.
    """
    with db.read() as session:
        checked_at = find_connection(session, connection_id).checked_at
    if checked_at is None or abs(now - checked_at) > LATELY:
        check_connection(db, vault, http, base_url, connection_id, now, patient=False)


def replace_key(
    db: Database, vault: Vault, http: requests.Session, base_url: str, connection_id: str, key: str, now: datetime
) -> KeyCheck:
    """
    Ask Klaviyo about another key for a connection, and put it in the old one's place if it is taken.

    Shape:  a key that is not taken changes nothing, and one of another Klaviyo account is not: what was accepted there
            would never be sent here, and what is owed here would go there.
    Raises: NotFound; InvalidInput when it cannot be a key.
    """
    key = private_key(key)
    with db.read() as session:
        connection = find_connection(session, connection_id)
        account_id = account_of(session, connection).klaviyo_id
    check = check_key(KlaviyoClient(base_url.rstrip("/"), key, http))
    if (other := check.account.klaviyo_id) and account_id and other != account_id:
        sentence = f"This is a key of another Klaviyo account, {other}: make a connection of its own for it."
        check = replace(check, verdict=Verdict.REJECTED, sentence=sentence)
    resumed = 0
    if check.verdict == Verdict.ACCEPTED:
        with db.write() as session:
            change_key(find_connection(session, connection_id), vault, key)
            resumed = _accepted(session, connection, check, now)
    log.info("connection.key_replaced", connection=connection_id, verdict=str(check.verdict), resumed=resumed)
    return check


def _accepted(session: Session, connection: Connection, check: KeyCheck, now: datetime) -> int:
    """Write down that the key is taken, and queue again what was held because it was not; how many that were."""
    record_key(session, connection.id, KeyStatus.ACCEPTED, "", now, scopes=check.scopes)
    describe_account(session, connection.account_id, **asdict(check.account))
    return holding.resume_held(session, [connection.id], [KEY_REJECTED, ENDPOINT_REFUSED], now)


def _checked(connection: Connection, vault: Vault, http: requests.Session, base_url: str, patient: bool) -> KeyCheck:
    try:
        key = vault.unseal(connection.key_sealed, connection.workspace_id, connection.id)
    except InvalidInput as error:
        return KeyCheck(verdict=Verdict.REJECTED, sentence=f"The key cannot be read: {error}.")
    refused = [scope for scope in REFUSED_PROBES if connection.scopes.get(scope) == NO]
    return check_key(KlaviyoClient(base_url.rstrip("/"), key, http), refused=refused, patient=patient)
