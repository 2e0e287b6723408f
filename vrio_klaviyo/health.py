"""
Is the product well: one finding for every part, all faults at once, and the figures behind them.

What Redis says is handed in, because the domain does not know it.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests

from vrio_klaviyo.deciding import CIRCUIT_OPENS_AT
from vrio_klaviyo.errors import Answer, CallFailed
from vrio_klaviyo.findings import Finding, State, ago
from vrio_klaviyo.klaviyo.client import KlaviyoClient
from vrio_klaviyo.store import db as databases
from vrio_klaviyo.store import leases, sealed
from vrio_klaviyo.store.accounts import list_accounts
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Database, DatabaseError, Session
from vrio_klaviyo.traffic import of_traffic, under_way

CLOCK_OFF = timedelta(seconds=30)
GOOD_FOR = {"worker": timedelta(seconds=leases.WORKER_S), "clock": timedelta(seconds=leases.CLOCK_S)}
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """
    What Redis says of itself.

    Shape:  refuses is why it takes nothing in, in its own words; empty when it does.
    Units:  took_ms is how long it took to answer; off_s how far its clock is ahead of ours.
    """

    version: str
    took_ms: float
    policy: str
    used_bytes: int
    bells_waiting: int
    off_s: float
    refuses: str = ""


def of_database(db: Database) -> Iterator[Finding]:
    """Does the database answer, and is it migrated. The later parts ask it, and may only be looked at when it does."""
    began = time.monotonic()
    try:
        revision, size = db.revision(), db.size()
    except (DatabaseError, OSError) as error:
        cause = str(getattr(error, "orig", "") or type(error).__name__).splitlines()[0]
        yield Finding("database", "database", State.FAULT, f"It cannot be used ({cause}).", "flask doctor database")
        return
    took = (time.monotonic() - began) * 1000
    kind = db.engine.dialect.name
    yield Finding("database", "database", State.OK, f"{kind}, {took:.0f} ms, {size / _MB:.1f} MB")
    head = databases.head()
    if revision == head:
        yield Finding("migrations", "migrations", State.OK, f"at head ({head})")
    else:
        at = f"at {revision}" if revision else "no tables yet"
        yield Finding("migrations", "migrations", State.FAULT, f"{at}, and {head} is needed", "flask db upgrade")


def of_installation(db: Database, vault: Vault | None, now: datetime) -> Iterator[Finding]:
    """All that the database can tell of: itself first, and the rest when it answers."""
    found = list(of_database(db))
    yield from found
    if all(finding.state != State.FAULT for finding in found):
        with db.read() as session:
            yield from of_processes(session, now)
            yield from of_lanes(session, now)
            yield from of_traffic(under_way(session, now), now)
            yield from of_keys(session, vault) if vault else ()


def of_redis(facts: RedisFacts | None) -> Iterator[Finding]:
    """Does Redis answer, and does it throw nothing away."""
    if facts is None:
        sentence = "It does not answer; webhooks are kept all the same, and sent when it is back."
        yield Finding("redis", "redis", State.FAULT, sentence, "flask doctor redis")
        return
    if facts.refuses:
        sentence = (
            f"It answers and takes nothing in ({facts.refuses}); webhooks are kept all the same, and sent when it does."
        )
        yield Finding("redis", "redis", State.FAULT, sentence, "flask doctor redis")
        return
    about = f"{facts.version}, {facts.took_ms:.0f} ms, {facts.used_bytes / _MB:.1f} MB, {facts.bells_waiting} jobs wait"
    yield Finding("redis", "redis", State.OK, about)
    if facts.policy == "noeviction":
        yield Finding("redis", "maxmemory-policy", State.OK, "noeviction")
    elif facts.policy:
        sentence = f"{facts.policy}: when memory is short it throws jobs away"
        yield Finding(
            "redis", "maxmemory-policy", State.WARNING, sentence, "redis-cli config set maxmemory-policy noeviction"
        )
    else:
        yield Finding("redis", "maxmemory-policy", State.UNKNOWN, "Redis does not let us ask; it must be noeviction")
    if abs(facts.off_s) > CLOCK_OFF.total_seconds():
        sentence = f"Redis's clock is {facts.off_s:+.0f} s off ours; retries and leases need the same time."
        yield Finding("clock skew", "redis", State.WARNING, sentence, "timedatectl")
    else:
        yield Finding("clock skew", "redis", State.OK, f"{abs(facts.off_s):.1f} s off ours")


def of_processes(session: Session, now: datetime) -> Iterator[Finding]:
    """Do worker and clock show that they live."""
    known = {name.removeprefix("worker/"): until for name, until in leases.presences(session, "worker/").items()}
    living = {name for name, until in known.items() if leases.shows_life(until, now)}
    if living:
        at_work = ", ".join(f"{name} (heard of {_heard(known[name], now)} ago)" for name in known if name in living)
        # Whoever ends as told takes its name away; whoever keeps it going has started another one by now.
        died = "".join(f"; {name} {_parting(known[name], now)}" for name in known if name not in living)
        yield Finding("worker", "worker", State.OK, f"{len(living)} at work: {at_work}{died}")
    else:
        yield Finding(
            "worker", "worker", State.FAULT, "None runs, so nothing is read and nothing sent.", "flask worker"
        )
    clock = leases.presences(session, "clock").get("clock")
    if clock is not None and leases.shows_life(clock, now):
        yield Finding("clock", "clock", State.OK, f"goes, heard of {ago(now - clock + GOOD_FOR['clock'])} ago")
    else:
        sentence = "None runs: retries, and what was stranded, wait until one does."
        yield Finding("clock", "clock", State.FAULT, sentence, "flask clock")


def _heard(until: datetime, now: datetime) -> str:
    return ago(now - until + GOOD_FOR["worker"])


def _parting(until: datetime, now: datetime) -> str:
    if until > now:
        return "not heard of since this machine's clock was set back"
    return f"ended {_heard(until, now)} ago without a word"


def of_lanes(session: Session, now: datetime) -> Iterator[Finding]:
    """Does what is owed to an account stand still because Klaviyo fails, and until when."""
    accounts, waiting = list_accounts(session), leases.waits(session, "lane/", now)
    shut = [account for account in accounts if account.failures >= CIRCUIT_OPENS_AT]
    for account in shut:
        again = f", asked again at {waiting[account.id]:%H:%M:%S} UTC" if account.id in waiting else ""
        sentence = f"Klaviyo failed {account.failures} times in a row for {account.name or account.id}{again}."
        yield Finding("lanes", account.id, State.WARNING, sentence, "flask stats --by error")
    if not shut:
        limited = f", {len(waiting)} wait for Klaviyo's limits" if waiting else ""
        yield Finding("lanes", "lanes", State.OK, f"none of {len(accounts)} stands still{limited}")


def of_keys(session: Session, vault: Vault) -> Iterator[Finding]:
    """Do the keys of ENCRYPTION_KEYS open all that is sealed."""
    kept = sealed.seals(session, vault)
    shut = [seal for seal in kept if not seal.opens]
    older = [seal for seal in kept if seal.opens and not seal.newest]
    for seal in shut:
        sentence = f"No key of ENCRYPTION_KEYS opens the {seal.what} of {seal.name} ({seal.owner})."
        yield Finding("key store", seal.owner, State.FAULT, sentence, "flask key check")
    if older:
        sentence = f"{len(older)} of {len(kept)} secrets need an older key still."
        yield Finding("key store", "keys", State.WARNING, sentence, "flask key rotate")
    elif not shut:
        yield Finding("key store", "keys", State.OK, f"the first key opens all {len(kept)} secrets")


def of_klaviyo(http: requests.Session, base_url: str, now: datetime) -> Iterator[Finding]:
    """Is Klaviyo there, and does its clock agree with ours. Asked without a key, which it may refuse."""
    client = KlaviyoClient(base_url.rstrip("/"), "", http)
    answer: Answer | None
    try:
        answer = client.get("/api/accounts")
    except CallFailed as error:
        answer = error.answer
        if answer is None:
            sentence = f"It cannot be reached: {error.reason}."
            yield Finding("klaviyo", "klaviyo", State.FAULT, sentence, "flask doctor klaviyo --online")
            return
    yield Finding("klaviyo", "klaviyo", State.OK, f"answers (HTTP {answer.status})")
    try:
        off = parsedate_to_datetime(answer.headers.get("date", "")).astimezone(UTC) - now
    except ValueError:
        return
    if abs(off) > CLOCK_OFF:
        sentence = f"Klaviyo's clock is {off.total_seconds():+.0f} s off ours."
        yield Finding("clock skew", "klaviyo", State.WARNING, sentence, "timedatectl")
    else:
        yield Finding("clock skew", "klaviyo", State.OK, "within a second or two of ours")
