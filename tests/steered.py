"""A Klaviyo that obeys: the sandbox over real HTTP, as a test steers it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from sandbox.klaviyo import Settings, create_app, serve_in_thread


@dataclass
class Waiting:
    """What the sandbox does where it would wait: `act` once if a test says so, else wait."""

    act: Callable[[], object] | None = None

    def __call__(self, seconds: float) -> None:
        act, self.act = self.act, None
        if act:
            act()
        else:
            time.sleep(seconds)


class Klaviyo:
    """The sandbox, as a test steers it."""

    def __init__(self, url: str, waiting: Waiting) -> None:
        self.url = url
        self._waiting = waiting
        self._http = requests.Session()
        self._http.trust_env = False

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def reset(self) -> None:
        """As if it had just been started."""
        self._waiting.act = None
        self._post("reset", None)

    def fault(self, fault: str, **how: Any) -> None:
        """The next matching request goes wrong."""
        self._post("faults", {"fault": fault} | how)

    def settings(self, **settings: Any) -> None:
        """Change the sandbox's settings."""
        self._post("settings", settings)

    def key(self, name: str, key: str, *, account: str = "SbxA01", revoked: bool = False) -> None:
        """Make or change a private key."""
        self._post("keys", {"name": name, "key": key, "account": account, "revoked": revoked})

    def while_asked(self, act: Callable[[], object], **match: str) -> None:
        """Do this while the next request to the API, or the next that matches, waits for its answer."""
        self._waiting.act = act
        self.fault("latency", ms=1, match=match)

    def events(self, **wanted: str) -> list[dict[str, Any]]:
        """The events that it holds."""
        return list(self._get("events", wanted))

    def requests(self) -> list[dict[str, Any]]:
        """The requests that reached its API."""
        return list(self._get("requests", {}))

    def profile(self, email: str) -> dict[str, Any]:
        """The attributes of the one profile with this e-mail."""
        (found,) = self._get("profiles", {"email": email})
        attributes: dict[str, Any] = found["attributes"]
        return attributes

    def _post(self, route: str, body: Any) -> None:
        self._http.post(f"{self.url}/sandbox/{route}", json=body, timeout=30).raise_for_status()

    def _get(self, route: str, query: dict[str, str]) -> Any:
        answer = self._http.get(f"{self.url}/sandbox/{route}", params=query, timeout=30)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def klaviyo_served(**settings: Any) -> Iterator[Klaviyo]:
    """A sandbox over real HTTP; its rate limits are off unless asked for."""
    waiting = Waiting()
    app = create_app(Settings(**{"rate_limits": False} | settings), wait=waiting)
    with serve_in_thread(app) as url:
        klaviyo = Klaviyo(url, waiting)
        yield klaviyo
        klaviyo.close()
