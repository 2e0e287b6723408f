"""Why a delivery stands as it does, for people: one sentence for every cause, wherever it comes from."""

from typing import NamedTuple

from vrio_klaviyo.gate import SkipReason, explain
from vrio_klaviyo.klaviyo.known_errors import known_error
from vrio_klaviyo.store.deliveries import DeliveryStatus
from vrio_klaviyo.store.holding import CONNECTION_PAUSED


class Explained(NamedTuple):
    """A cause in words: short, in whole sentences, and whether sending again helps."""

    title: str
    meaning: str
    remedy: str
    again_helps: bool


PAUSED = Explained(
    "Connection paused",
    "The connection was paused before this was sent.",
    "Activate the connection; what is held goes by itself.",
    again_helps=True,
)


def explained(status: str, cause: str) -> Explained | None:
    """The cause of a delivery that failed, is held, is tried again or was not sent; None when nothing is wrong."""
    match status:
        case DeliveryStatus.SKIPPED if cause in set(SkipReason):
            explanation = explain(SkipReason(cause))
            title = cause.replace("_", " ").capitalize()
            return Explained(title, explanation.meaning, explanation.remedy, explanation.again_helps)
        case DeliveryStatus.HELD if cause == CONNECTION_PAUSED:
            return PAUSED
        case DeliveryStatus.FAILED | DeliveryStatus.HELD | DeliveryStatus.RETRYING if cause:
            return Explained(*known_error(cause)[1:])
    return None
