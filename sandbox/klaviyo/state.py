"""
What one sandbox remembers, behind one lock: accounts with their profiles and events, keys, limits, faults, requests.
"""

import hashlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.klaviyo.faults import Faults
from sandbox.klaviyo.journal import Journal
from sandbox.klaviyo.keys import Account, ApiKey
from sandbox.klaviyo.limits import RateLimiter
from sandbox.klaviyo.profiles import Profile, Profiles, UnknownProfile
from sandbox.klaviyo.settings import Settings
from sandbox.klaviyo.shapes import read_time

# Klaviyo: events for these domains are answered 202 and then dropped without a trace.
TEST_DOMAINS = ("@example.com", "@test.com")


@dataclass
class Event:
    """
    One event as it is held; `repeats` counts the later requests that de-duplication swallowed.
    """

    id: str
    profile: Profile
    metric: str
    time: datetime
    received_at: datetime
    via: str
    attributes: dict[str, Any]
    repeats: int = 0

    @property
    def unique_id(self) -> str | None:
        unique_id: str | None = self.attributes.get("unique_id")
        return unique_id


@dataclass
class AccountStore:
    """
    One account's people and what happened to them.
    """

    account: Account
    profiles: Profiles = field(default_factory=Profiles)
    events: list[Event] = field(default_factory=list)
    dropped: int = 0
    _seen: dict[tuple[str, str, str], Event] = field(default_factory=dict)

    def add_event(
        self, profile_data: dict[str, Any], patch: dict[str, Any], attributes: dict[str, Any], now: datetime, via: str
    ) -> None:
        """
        Hold an event under its profile, which is created or updated, unless the same event is already there.
        """
        try:
            profile, _ = self.profiles.upsert(profile_data, patch, now, strict=False)
        except UnknownProfile:
            # Klaviyo: an event for a profile id that does not exist is lost behind its 202.
            self.dropped += 1
            return
        metric = attributes["metric"]["data"]["attributes"]["name"]
        when = read_time(attributes.get("time")) or now.replace(microsecond=0)
        # Klaviyo: without a unique_id the time to the second takes its place.
        key = (profile.id, metric, attributes.get("unique_id") or str(int(when.timestamp())))
        if key in self._seen:
            self._seen[key].repeats += 1
            return
        event = Event(str(uuid.uuid4()), profile, metric, when, now, via, attributes)
        self._seen[key] = event
        self.events.append(event)

    def metric_id(self, name: str) -> str:
        return hashlib.sha256(f"{self.account.id}/{name}".encode()).hexdigest()[:6].upper()


class Sandbox:
    """
    Everything of one sandbox. Whoever reads or changes it holds `lock`.
    """

    def __init__(
        self, settings: Settings, clock: Callable[[], float] = time.time, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self.initial = self.settings = settings
        self.clock = clock
        self.wait = wait
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """
        Forget everything that was sent or changed since the start.
        """
        self.settings = self.initial
        self.keys: dict[str, ApiKey] = {key.key: key for key in self.initial.keys}
        self.stores = {account.id: AccountStore(account) for account in self.initial.accounts}
        self.limiter = RateLimiter()
        self.faults = Faults()
        self.journal = Journal(self.initial.journal_entries, self.initial.journal_bytes)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)

    def drops(self, profile_data: dict[str, Any]) -> bool:
        email = profile_data["attributes"].get("email") or ""
        return self.settings.drop_test_domains and email.lower().endswith(TEST_DOMAINS)

    def everyone(self) -> Iterator[tuple[AccountStore, Profile, list[Event]]]:
        """
        Every profile with its account and its events, newest first.
        """
        for store in self.stores.values():
            timelines: dict[str, list[Event]] = {profile_id: [] for profile_id in store.profiles.by_id}
            for event in sorted(store.events, key=lambda event: event.time, reverse=True):
                timelines[event.profile.id].append(event)
            for profile in store.profiles.by_id.values():
                yield store, profile, timelines[profile.id]
