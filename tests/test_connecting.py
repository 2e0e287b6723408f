"""Is a key good: what Klaviyo answers, and what is made of it."""

import socket
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
import requests
from cryptography.fernet import Fernet
from flask import Flask

from sandbox.klaviyo import GOOD_KEY, NO_ACCOUNTS_READ_KEY, REVOKED_KEY, ApiKey
from sandbox.klaviyo.keys import KEYS
from tests.console.shop import Shop, klaviyo, utc_now
from vrio_klaviyo.calling import new_session
from vrio_klaviyo.connecting import KeyCheck, check_connection, check_key, replace_key
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.klaviyo.accounts import Account
from vrio_klaviyo.klaviyo.client import KlaviyoClient
from vrio_klaviyo.lane import Lane
from vrio_klaviyo.store import deliveries
from vrio_klaviyo.store.accounts import account_of
from vrio_klaviyo.store.connections import KeyStatus, KlaviyoAccount, find_connection, list_connections, private_key
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Database
from vrio_klaviyo.store.key_checks import note_scope_refused, record_key

READ = ("accounts:read", "profiles:read", "events:read", "lists:read")
WRITE = dict.fromkeys(("profiles:write", "events:write", "lists:write"), "not tested")
ALL_READ = dict.fromkeys(READ, "yes") | WRITE
NOTHING_KNOWN = dict.fromkeys(READ, "not tested") | WRITE

ACME = Account(klaviyo_id="SbxA01", name="Acme Supplements", time_zone="US/Eastern", currency="USD", is_test=True)

THREE_SCOPES_KEY, WRITING_KEY, NO_LISTS_KEY = (f"pk_{word:0<34}" for word in ("three", "writing", "nolists"))
MORE_KEYS = (
    ApiKey(
        "three",
        THREE_SCOPES_KEY,
        "SbxA01",
        frozenset(f"{what}:{how}" for what in ("events", "lists", "profiles") for how in ("read", "write")),
    ),
    ApiKey("writing", WRITING_KEY, "SbxA01", frozenset({"events:write", "profiles:write"})),
    ApiKey("nolists", NO_LISTS_KEY, "SbxA01", frozenset({"accounts:read", "profiles:read", "events:read"})),
)


@pytest.fixture
def sandbox() -> Iterator[tuple[str, Flask]]:
    with klaviyo(keys=KEYS + MORE_KEYS) as running:
        yield running


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with new_session() as session:
        yield session


def fault(app: Flask, **fault: Any) -> None:
    assert (
        app.test_client().post("/sandbox/faults", json={"match": {"path": "/api/accounts"}, **fault}).status_code == 201
    )


def described(account: KlaviyoAccount) -> Account:
    """What is kept of an account, as a key is told of it."""
    return Account(**{name.name: getattr(account, name.name) for name in fields(Account)})


def asked(app: Flask) -> list[tuple[str, str]]:
    return [(entry["path"], entry["query"]) for entry in app.test_client().get("/sandbox/requests").get_json()]


@pytest.mark.requirement("003-2", "003-9", "003-69")
@pytest.mark.parametrize(
    ("key", "account", "scopes", "sentence"),
    [
        (GOOD_KEY, ACME, {}, "Klaviyo knows this key."),
        (
            NO_ACCOUNTS_READ_KEY,
            Account(klaviyo_id="SbxA01"),
            {"accounts:read": "no"},
            "Klaviyo knows this key. It lacks the scopes accounts:read.",
        ),
        (
            THREE_SCOPES_KEY,
            Account(klaviyo_id="SbxA01"),
            {"accounts:read": "no"},
            "Klaviyo knows this key. It lacks the scopes accounts:read.",
        ),
        (
            NO_LISTS_KEY,
            ACME,
            {"lists:read": "no"},
            "Klaviyo knows this key. It lacks the scopes lists:read.",
        ),
        (
            WRITING_KEY,
            Account(klaviyo_id="SbxA01"),
            dict.fromkeys(READ, "no"),
            "Klaviyo knows this key. It lacks the scopes accounts:read, profiles:read, events:read, lists:read.",
        ),
    ],
    ids=["good", "no_accounts_read", "events_lists_profiles", "no_lists", "writing_only"],
)
def test_a_key_that_klaviyo_knows_is_accepted(sandbox, http, key, account, scopes, sentence):
    check = check_key(KlaviyoClient(sandbox[0], key, http))

    assert check == KeyCheck(
        verdict="accepted",
        sentence=sentence,
        account=account,
        scopes=ALL_READ | scopes,
    )
    page = "page%5Bsize%5D=1"
    assert asked(sandbox[1]) == [
        ("/api/accounts", ""),
        ("/api/profiles", page),
        ("/api/events", page),
        ("/api/lists", page),
    ]


@pytest.mark.requirement("003-68", "003-70")
@pytest.mark.parametrize("key", [REVOKED_KEY, "pk_nobody"], ids=["revoked", "unknown"])
def test_a_key_that_klaviyo_does_not_know_is_rejected_after_one_question(sandbox, http, key):
    check = check_key(KlaviyoClient(sandbox[0], key, http))

    assert (check.verdict, check.account, check.scopes) == ("rejected", Account(), NOTHING_KNOWN)
    assert check.sentence.startswith("Klaviyo does not know this key")
    assert len(asked(sandbox[1])) == 1


@pytest.mark.requirement("003-70")
def test_three_mistakes_get_three_sentences(sandbox, http):
    def refusal(key: str) -> str:
        with pytest.raises(InvalidInput) as caught:
            private_key(key)
        return str(caught.value)

    check = check_key(KlaviyoClient(sandbox[0], private_key("pk_mistyped"), http))

    assert len({refusal("AbC123"), refusal("pk_half a key"), check.sentence}) == 3


def test_a_bad_key_that_is_answered_400_as_older_revisions_did_is_rejected(sandbox, http):
    errors = [{"id": "1", "code": "authentication_failed", "title": "Bad key", "detail": "Bad key"}]
    fault(sandbox[1], fault="status", status=400, body={"errors": errors})

    assert check_key(KlaviyoClient(sandbox[0], GOOD_KEY, http)).verdict == "rejected"


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        ({"fault": "html"}, "Klaviyo could not be asked about the key: 403 (not Klaviyo's own answer)."),
        ({"fault": "html", "status": 401}, "Klaviyo could not be asked about the key: 401 (not Klaviyo's own answer)."),
        ({"fault": "html", "status": 200}, "Klaviyo could not be asked about the key: 200 (not Klaviyo's own answer)."),
        ({"fault": "garbage"}, "Klaviyo could not be asked about the key: 200 (not Klaviyo's own answer)."),
        (
            {"fault": "status", "status": 200, "body": {"data": [{"id": None}]}},
            "Klaviyo could not be asked about the key: 200 (not Klaviyo's own answer).",
        ),
        ({"fault": "html", "status": 503}, "Klaviyo could not be asked about the key: 503."),
        ({"fault": "html", "status": 301}, "Klaviyo could not be asked about the key: 301."),
        (
            {"fault": "reset"},
            "Klaviyo could not be asked about the key: the connection broke or was refused.",
        ),
        (
            {"fault": "throttle", "retry_after": 30},
            "Klaviyo is busy and asks to wait 30 s. The key was not checked.",
        ),
    ],
    ids=["html_403", "html_401", "html_200", "garbage", "no_account", "html_503", "redirect", "reset", "throttled"],
)
def test_a_key_that_klaviyo_was_not_heard_about_is_unknown(sandbox, http, trouble, sentence):
    fault(sandbox[1], **trouble)

    check = check_key(KlaviyoClient(sandbox[0], GOOD_KEY, http))

    assert (check.verdict, check.sentence, check.scopes) == ("unknown", sentence, NOTHING_KNOWN)
    assert len(asked(sandbox[1])) == 1


def test_a_key_is_unknown_while_nobody_answers(http):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        check = check_key(KlaviyoClient(url, GOOD_KEY, http))

    assert (check.verdict, check.account) == ("unknown", Account())


def test_a_check_ends_in_time_whatever_klaviyo_does(sandbox, http):
    fault(sandbox[1], fault="hang", seconds=5)

    check = check_key(KlaviyoClient(sandbox[0], GOOD_KEY, http), within_s=0.2)

    assert check.sentence == "Klaviyo could not be asked about the key: no answer in time."


def test_a_second_check_in_a_row_waits_the_second_that_klaviyo_asks_for(sandbox, http):
    fault(sandbox[1], fault="throttle", retry_after=1)

    assert check_key(KlaviyoClient(sandbox[0], GOOD_KEY, http)).verdict == "accepted"


@pytest.mark.parametrize("trouble", [{"fault": "status", "status": 500}, {"fault": "html"}, {"fault": "reset"}])
def test_a_probe_that_fails_leaves_its_scope_untested(sandbox, http, trouble):
    fault(sandbox[1], match={"path": "/api/events"}, **trouble)

    check = check_key(KlaviyoClient(sandbox[0], GOOD_KEY, http))

    assert (check.verdict, check.scopes) == ("accepted", ALL_READ | {"events:read": "not tested"})
    assert check.sentence == "Klaviyo knows this key."


# What is written down


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database, Vault([Fernet.generate_key().decode()]))


def test_an_accepted_key_is_written_down_and_sets_free_what_was_held_because_of_it(shop, sandbox, http):
    connection = shop.connect(GOOD_KEY)
    shop.receive_sample("transaction_completed_sale_subscription_cycle1")
    now = utc_now()
    with shop.db.write() as session:
        record_key(session, connection.id, KeyStatus.REJECTED, "401", now - timedelta(hours=1))
        owed = deliveries.list_deliveries(session)
        for delivery, reason in zip(owed, ["key_rejected", "endpoint_refused", "connection_paused"], strict=False):
            delivery.status, delivery.reason, delivery.next_attempt_at = "held", reason, None

    check_connection(shop.db, shop.vault, http, sandbox[0], connection.id, now)

    with shop.db.read() as session:
        found = find_connection(session, connection.id)
        account = account_of(session, found)
        after = [(delivery.status, delivery.reason) for delivery in deliveries.list_deliveries(session)]
    assert (found.key_status, found.key_reason, found.checked_at, found.scopes) == ("accepted", "", now, ALL_READ)
    assert described(account) == ACME
    assert after[:3] == [("queued", ""), ("queued", ""), ("held", "connection_paused")]


def test_what_was_told_of_an_account_stays_when_a_key_may_not_read_it(shop, sandbox, http):
    connection = shop.connect(GOOD_KEY)
    check_connection(shop.db, shop.vault, http, sandbox[0], connection.id, utc_now())

    assert replace_key(shop.db, shop.vault, http, sandbox[0], connection.id, THREE_SCOPES_KEY, utc_now()).account == (
        Account(klaviyo_id="SbxA01")
    )

    with shop.db.read() as session:
        assert described(account_of(session, find_connection(session, connection.id))) == ACME


def test_a_rejected_key_is_written_down_with_a_sentence(shop, sandbox, http):
    connection, now = shop.connect(REVOKED_KEY), utc_now()

    check = check_connection(shop.db, shop.vault, http, sandbox[0], connection.id, now)

    with shop.db.read() as session:
        found = find_connection(session, connection.id)
    assert (found.status, found.key_status, found.key_reason) == ("key_rejected", "rejected", check.sentence)
    assert (found.checked_at, found.scopes) == (now, NOTHING_KNOWN)


@pytest.mark.parametrize(
    ("known", "after"),
    [
        (("unchecked", ""), ("unchecked", "Klaviyo could not be asked about the key: 503.")),
        (("accepted", ""), ("accepted", "")),
        (("rejected", "401 not_authenticated"), ("rejected", "401 not_authenticated")),
    ],
)
def test_a_check_without_an_answer_changes_nothing_that_is_known(shop, sandbox, http, known, after):
    connection, now = shop.connect(GOOD_KEY), utc_now()
    with shop.db.write() as session:
        record_key(session, connection.id, KeyStatus(known[0]), known[1], now - timedelta(hours=1), scopes=ALL_READ)
    fault(sandbox[1], fault="html", status=503)

    check_connection(shop.db, shop.vault, http, sandbox[0], connection.id, now)

    with shop.db.read() as session:
        found = find_connection(session, connection.id)
    assert (found.key_status, found.key_reason) == after
    # The time moves on all the same: nobody asks again and again while Klaviyo is away.
    assert (found.checked_at, found.scopes) == (now, ALL_READ)


def test_klaviyo_is_asked_outside_any_transaction(shop, http):
    connection = shop.connect(GOOD_KEY)

    with klaviyo() as (url, app):

        @app.before_request
        def write() -> None:
            with shop.db.write() as session:
                record_key(session, connection.id, KeyStatus.UNCHECKED, "written meanwhile", utc_now())

        check = check_connection(shop.db, shop.vault, http, url, connection.id, utc_now())

    assert check.verdict == "accepted"


READING = frozenset(f"{what}:read" for what in ("accounts", "profiles", "events", "lists"))


def send(shop: Shop, url: str, http: requests.Session) -> None:
    """Run the lane of the one connection, long enough after whatever it waits for."""
    with shop.db.read() as session:
        (connection,) = list_connections(session)
    later = utc_now() + timedelta(hours=1)
    Lane(
        db=shop.db, vault=shop.vault, http=http, base_url=url, ring=lambda _job, _subject: True, now=lambda: later
    ).drain(connection.account_id, "worker/1")


def test_a_key_that_may_read_but_not_write_is_not_freed_until_it_may(shop, http):
    key = f"pk_{'reading':0<34}"
    with klaviyo(keys=(*KEYS, ApiKey("reading", key, "SbxA01", READING))) as (url, app):
        connection = shop.connect(key)
        shop.receive_sample("transaction_completed_sale_subscription_cycle1")
        send(shop, url, http)

        check = check_connection(shop.db, shop.vault, http, url, connection.id, utc_now())
        assert (check.verdict, check.scopes["events:write"]) == ("rejected", "no")
        assert check.sentence == "Klaviyo knows this key. It lacks the scopes events:write."
        with shop.db.read() as session:
            assert {one.reason for one in deliveries.list_deliveries(session)} == {"key_rejected"}
            assert find_connection(session, connection.id).key_reason == check.sentence
        written = app.test_client().get("/sandbox/events").get_json()
        assert written == []

        entry = {"name": "reading", "key": key, "account": "SbxA01"}
        assert app.test_client().post("/sandbox/keys", json=entry).status_code < 300
        check = check_connection(shop.db, shop.vault, http, url, connection.id, utc_now())
        assert (check.verdict, check.scopes["events:write"]) == ("accepted", "not tested")
        send(shop, url, http)
        with shop.db.read() as session:
            assert {one.status for one in deliveries.list_deliveries(session)} == {"accepted"}


def test_another_key_is_not_judged_by_what_the_last_one_could_not(shop, sandbox, http):
    connection = shop.connect(GOOD_KEY)
    with shop.db.write() as session:
        note_scope_refused(session, connection.id, "events:write")

    check = replace_key(shop.db, shop.vault, http, sandbox[0], connection.id, NO_LISTS_KEY, utc_now())

    assert check.verdict == "accepted"
    assert not any(path == "/api/events" and not query for path, query in asked(sandbox[1]))
