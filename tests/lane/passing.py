"""Time as a lane measures it, in tests that do not wait for it."""

from tests.steered import Klaviyo


class SecondsPerRequest:
    """In the place of the module `time`: a second passes with each request to Klaviyo."""

    def __init__(self, klaviyo: Klaviyo) -> None:
        self._klaviyo = klaviyo

    def monotonic(self) -> float:
        """As many seconds as there were requests."""
        return float(len(self._klaviyo.requests()))
