"""The error tree. A name says what the caller does about it, not what broke."""

from dataclasses import dataclass, field


class VrioKlaviyoError(Exception):
    """Everything that this product raises on purpose."""


class UnreadableWebhook(VrioKlaviyoError):
    """Keep it, show it, never retry: nobody can tell what this webhook is about."""


class LeaseLost(VrioKlaviyoError):
    """Stop at once and write nothing: somebody else works here now."""


class NotFound(VrioKlaviyoError):
    """No such thing in this workspace; the message names what was looked for."""


class InvalidInput(VrioKlaviyoError):
    """A person gave a value that cannot be taken; the message says which and why."""


class Refused(VrioKlaviyoError):
    """What a person asked for cannot be done as things stand; the message says why, and what to do first."""


class NotReady(VrioKlaviyoError):
    """This process cannot start yet; the message says what has to be done first."""


# What work on a row raises whose content cannot be worked on. Tried again it would do so again, so the row is left out
# or ends, with the reason, and stops no other.
BROKEN_ROW = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


@dataclass(frozen=True)
class Answer:
    """
    What came back over HTTP.

    Shape:  header names in lower case; body as the bytes that came.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class CallFailed(VrioKlaviyoError):
    """An HTTP call that did not do what it was made for; `answer` is None when nothing came back."""

    def __init__(self, reason: str, answer: Answer | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answer = answer


class Retriable(CallFailed):
    """5xx, 408, no answer, HTML from the proxy: the same request may pass later."""


class Throttled(CallFailed):
    """429: nothing is wrong with the request, the lane waits."""

    def __init__(self, reason: str, retry_after_s: float, answer: Answer | None = None) -> None:
        super().__init__(reason, answer)
        self.retry_after_s = retry_after_s


class NotAuthorized(CallFailed):
    """401, 403 in Klaviyo's own words: the connection is broken; tell staff."""


class EndpointRefused(CallFailed):
    """404, 405, 410, 415 on a fixed endpoint: our fault; hold the lane, ring the alarm."""


class Rejected(CallFailed):
    """Klaviyo's other 4xx: this payload will never pass."""


class PhoneRejected(Rejected):
    """The phone number is the only complaint: send once more without it."""
