"""The month sent to a webhook URL over HTTP, as Vrio does it: one after the other, each once, whatever is answered."""

import ipaddress
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import requests

from sandbox.vrio.playing import Burst, DeliveryPlan, play
from sandbox.vrio.world import World

TIMEOUTS_S = (3.05, 30.0)
# So many in a row without any answer: nobody is there.
MOST_UNANSWERED = 10


class NobodyThere(Exception):
    """The webhook URL does not answer any more."""


def is_on_this_computer(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Sender:
    """
    Posts webhooks and counts the answers.

    Shape:  `accepted` got a 2xx, `refused` another status, `unanswered` none.
    Units:  `speed` is seconds of the story per second; 0 does not wait at all.
    """

    def __init__(
        self,
        url: str,
        speed: float = 0,
        tell: Callable[[str], object] = print,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self.accepted = self.refused = self.unanswered = 0
        self._url = url
        self._speed = speed
        self._tell = tell
        self._wait = wait
        self._unanswered_in_a_row = 0
        self._last: Burst | None = None
        self._session = requests.Session()

    def send(self, world: World, plan: DeliveryPlan) -> None:
        """
        Send the whole month.

        Raises: NobodyThere.
        """
        with self._session:
            play(world, self._post, plan, self._after)
        self._tell(self._figures("The month is over"))

    def _post(self, body: bytes) -> None:
        try:
            answer = self._session.post(
                self._url,
                body,
                headers={"content-type": "application/json"},
                timeout=TIMEOUTS_S,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            self.unanswered += 1
            self._unanswered_in_a_row += 1
            if self._unanswered_in_a_row >= MOST_UNANSWERED:
                raise NobodyThere(f"{MOST_UNANSWERED} webhooks in a row got no answer.") from error
            return
        self._unanswered_in_a_row = 0
        if answer.ok:
            self.accepted += 1
        else:
            self.refused += 1

    def _after(self, burst: Burst) -> None:
        last, self._last = self._last, burst
        if last is None:
            return
        if last.at.date() != burst.at.date():
            self._tell(self._figures(f"{last.at:%Y-%m-%d}"))
        if self._speed > 0:
            self._wait((burst.at - last.at).total_seconds() / self._speed)

    def _figures(self, title: str) -> str:
        return f"{title}: {self.accepted} accepted, {self.refused} refused, {self.unanswered} without an answer"
