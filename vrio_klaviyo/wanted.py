"""What of all that follows a connection wants, and which addresses Klaviyo takes nothing for."""

from collections.abc import Iterable
from dataclasses import replace

from vrio_klaviyo.klaviyo.requests import EventRequest, Request
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.vrio import routes

ONE_TIME = "Placed Non-Recurring Order"
TEST_ADDRESS = "Klaviyo takes requests for addresses at example.com and test.com, and drops them without a word."

_TEST_DOMAINS = ("@example.com", "@test.com")


def for_connection(requests: Iterable[Request], connection: Connection) -> list[Request]:
    """
    The requests as this connection wants them.

    Shape:  without the metrics beyond the published page that it has not switched on: they leave no trace. Some
            merchants count one-time orders among the others too.
    """
    off = routes.BEYOND.keys() - set(connection.metrics_on)
    wanted = [one for one in requests if not (isinstance(one, EventRequest) and one.metric in off)]
    if connection.one_time_as_placed_order:
        one_time = [request for request in wanted if isinstance(request, EventRequest)]
        wanted += [replace(request, metric="Placed Order") for request in one_time if request.metric == ONE_TIME]
    return wanted


def is_dropped(email: str) -> bool:
    """Whether Klaviyo drops whatever is sent for this address."""
    return email.endswith(_TEST_DOMAINS)


def notes_on_address(request: Request) -> tuple[str, ...]:
    """What staff should know of the address that a request is for."""
    return (TEST_ADDRESS,) if is_dropped(request.profile.email) else ()
