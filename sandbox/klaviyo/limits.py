"""
Klaviyo's rate limits: two fixed windows per account and endpoint, and the headers that report them.
"""

import math
from dataclasses import dataclass

BURST_S, STEADY_S = 1, 60


@dataclass(frozen=True)
class Limit:
    """
    How many requests an endpoint takes in a second and in a minute.
    """

    burst: int
    steady: int

    def scaled(self, factor: float) -> "Limit":
        return Limit(max(1, round(self.burst * factor)), max(1, round(self.steady * factor)))


# Klaviyo: its tiers by name, as the OpenAPI description gives them for each operation.
TIER_XS, TIER_M, TIER_L, TIER_XL = Limit(1, 15), Limit(10, 150), Limit(75, 750), Limit(350, 3500)


@dataclass(frozen=True)
class Verdict:
    """
    Whether one request may pass, and the headers that say so.
    """

    passed: bool
    headers: dict[str, str]
    retry_after_s: int = 0


class RateLimiter:
    """
    Counts requests per account and endpoint. The caller holds the sandbox's lock.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, int], tuple[int, int]] = {}

    def take(self, account_id: str, endpoint: str, limit: Limit, now_s: float) -> Verdict:
        """
        Count one request unless a window is full; a request that is refused is not counted.
        """
        windows = ((BURST_S, limit.burst), (STEADY_S, limit.steady))
        left = {size: most - self._used(account_id, endpoint, size, now_s) for size, most in windows}
        full = [size for size in left if left[size] <= 0]
        if full:
            wait_s = max(1, math.ceil(max(_until_end(size, now_s) for size in full)))
            return Verdict(False, {"Retry-After": str(wait_s)}, wait_s)
        for size in left:
            self._count(account_id, endpoint, size, now_s)
            left[size] -= 1
        tightest = min(left, key=lambda size: left[size])
        most = dict(windows)
        return Verdict(
            True,
            {
                # Klaviyo: not a plain integer: the window being reported first, then every window with its seconds.
                "RateLimit-Limit": f"{most[tightest]}, {limit.burst};w={BURST_S}, {limit.steady};w={STEADY_S}",
                "RateLimit-Remaining": str(left[tightest]),
                "RateLimit-Reset": str(math.floor(_until_end(tightest, now_s))),
            },
        )

    def _used(self, account_id: str, endpoint: str, size: int, now_s: float) -> int:
        window, used = self._counts.get((account_id, endpoint, size), (-1, 0))
        return used if window == now_s // size else 0

    def _count(self, account_id: str, endpoint: str, size: int, now_s: float) -> None:
        used = self._used(account_id, endpoint, size, now_s)
        self._counts[account_id, endpoint, size] = (int(now_s // size), used + 1)


def _until_end(size: int, now_s: float) -> float:
    return size - now_s % size
