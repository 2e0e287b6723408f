"""Klaviyo's rate limits: the table of what we call, and the pacer that keeps a lane within them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any

from vrio_klaviyo.klaviyo.bulk import PATH as BULK
from vrio_klaviyo.klaviyo.requests import PATHS

MINUTE_S = 60.0
# Of what a minute takes, this much may go out at once after a pause; the rest is spread over the minute, because a
# burst that uses the minute up lets the next urgent event wait for its end.
BURST_SHARE = 0.04
# What is never used: requests that were on their way for longer may meet those of the next moment.
RESERVE_SHARE = 0.015
# Klaviyo: an account's other integrations use the same minute. With so few left it is left to them.
FEW_LEFT = 20
# For so long a request is kept shorter than one that Klaviyo refused for its length; then it may have been a mistake.
SHORT_FOR_S = 24 * 3600.0


@dataclass(frozen=True)
class Limit:
    """
    How many requests Klaviyo takes of an endpoint.

    Units:  burst a second, steady a minute, daily a day (UTC), where there is one.
    """

    burst: int
    steady: int
    daily: int | None = None

    @cached_property
    def at_once(self) -> int:
        """How many may go after a pause."""
        return max(1, min(int(self.burst * 0.9), int(self.steady * BURST_SHARE)))

    @cached_property
    def per_s(self) -> float:
        """How many a second may go on and on, so that no minute, wherever it begins, has more than `steady`."""
        return max(self.steady * (1 - RESERVE_SHARE) - self.at_once, self.steady / 2) / MINUTE_S

    def capped(self, rate_per_minute: int | None) -> "Limit":
        """The limit, or the merchant's own cap below it."""
        return self if rate_per_minute is None else Limit(self.burst, min(self.steady, rate_per_minute), self.daily)


# Klaviyo: x-klaviyo-ratelimit of each operation in its OpenAPI description, 2026-07-15.
LIMITS: Mapping[str, Limit] = {
    PATHS["event"]: Limit(350, 3500),
    PATHS["profile"]: Limit(75, 750),
    BULK: Limit(10, 150),
}


class Pacer:
    """
    How many requests may go now, for each endpoint of one Klaviyo account: a bucket that fills evenly.

    Shape:  `kept` is what it knows as a small JSON object, and another pacer can be made of it: the count survives a
            change of worker.
    """

    def __init__(self, kept: Mapping[str, Any], rate_per_minute: int | None, limits: Mapping[str, Limit]) -> None:
        self.kept: dict[str, Any] = {path: dict(known) for path, known in kept.items()}
        self._cap = rate_per_minute
        self._limits = {path: self._now_held(path, limit) for path, limit in limits.items()}

    def limit(self, path: str) -> Limit:
        """What holds for this endpoint: Klaviyo's last word, else the table, and the merchant's cap."""
        return self._limits[path]

    def take(self, path: str, wanted: int, now: datetime) -> int:
        """Let so many go, or as many as may; how many those are."""
        known, limit, owed = self._of(path), self.limit(path), self._owed(path, now)
        granted = min(wanted, max(0, int(limit.at_once - owed + 1e-3)))
        if limit.daily is not None:
            used = self._used_today(path, now)
            granted = min(granted, max(0, limit.daily - used))
            known |= {"day": _day(now).isoformat(), "used": used + granted}
        if granted:
            known["full_at"] = now.timestamp() + (owed + granted) / limit.per_s
        return granted

    def give_back(self, path: str, now: datetime) -> None:
        """One that was let go did not go."""
        known, limit = self._of(path), self.limit(path)
        known["full_at"] = now.timestamp() + max(0.0, self._owed(path, now) - 1) / limit.per_s
        if limit.daily is not None:
            known["used"] = max(0, known["used"] - 1)

    def wait_s(self, path: str, now: datetime) -> float:
        """Seconds until a good handful may go: what a second takes, or one; or the next day begins."""
        limit = self.limit(path)
        if limit.daily is not None and self._used_today(path, now) >= limit.daily:
            return (datetime.combine(_day(now) + timedelta(days=1), time(), UTC) - now).total_seconds()
        handful = max(1.0, min(limit.at_once, limit.per_s))
        return max(0.0, (self._owed(path, now) + handful - limit.at_once) / limit.per_s)

    def learn(self, path: str, headers: Mapping[str, str], now: datetime) -> None:
        """
        Take Klaviyo's word for the limits, and for how little the minute has left.

        Klaviyo: `RateLimit-Limit: 350, 350;w=1, 3500;w=60`; the first is the window that the other two headers are
        about, which is the tightest one and seldom the minute.
        """
        reported, windows = _windows(headers.get("ratelimit-limit", ""))
        burst, steady = windows.get(1), windows.get(60)
        if not burst or not steady or path not in self._limits:
            return
        known = self._of(path)
        if known.get("limit") != [burst, steady]:
            known["limit"] = [burst, steady]
            self._limits[path] = self._now_held(path, self._limits[path])
        left, reset = headers.get("ratelimit-remaining", ""), headers.get("ratelimit-reset", "")
        if reported == steady and _is_number(left) and _is_number(reset) and int(left) <= FEW_LEFT:
            limit = self.limit(path)
            closed_until = now.timestamp() + min(float(reset), MINUTE_S) + 1
            known["full_at"] = max(known.get("full_at", 0.0), closed_until + limit.at_once / limit.per_s)

    def longest(self, path: str, usual: int, now: datetime) -> int:
        """How many bytes one request may have: half of what was refused for its length, if any was, else the usual."""
        known = self._of(path)
        # More than that cannot be left, unless the clock was set back.
        is_short = 0 < known.get("short_until", 0.0) - now.timestamp() <= SHORT_FOR_S
        return min(usual, known["longest"]) if is_short else usual

    def too_long(self, path: str, size: int, now: datetime) -> None:
        """A request of so many bytes was refused for its length."""
        known = self._of(path)
        known |= {"longest": min(self.longest(path, size, now), size // 2)}
        known["short_until"] = now.timestamp() + SHORT_FOR_S

    def _now_held(self, path: str, listed: Limit) -> Limit:
        told = self._of(path).get("limit")
        return (Limit(told[0], told[1], listed.daily) if told else listed).capped(self._cap)

    def _of(self, path: str) -> dict[str, Any]:
        known: dict[str, Any] = self.kept.setdefault(path, {})
        return known

    def _used_today(self, path: str, now: datetime) -> int:
        known = self._of(path)
        used: int = known["used"] if known.get("day") == _day(now).isoformat() else 0
        return used

    def _owed(self, path: str, now: datetime) -> float:
        """How many requests the bucket is short of being full."""
        limit = self.limit(path)
        short_s: float = self._of(path).get("full_at", 0.0) - now.timestamp()
        # More than that cannot be owed, by clocks that differ a little. If it is far more, the clock was set back: then
        # nobody knows, and nothing is.
        most_s = limit.at_once / limit.per_s + MINUTE_S + 1
        return min(short_s, most_s) * limit.per_s if 0 < short_s <= most_s + 2 * MINUTE_S else 0.0


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()


def _windows(text: str) -> tuple[int | None, dict[int, int]]:
    """The limit that is being reported, and the limit of every window by its seconds."""
    first, *others = text.replace(" ", "").split(",")
    windows = {}
    for other in others:
        limit, _, seconds = other.partition(";w=")
        if _is_number(limit) and _is_number(seconds):
            windows[int(seconds)] = int(limit)
    return (int(first) if _is_number(first) else None), windows


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
