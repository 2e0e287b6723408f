"""
What Klaviyo must hold when the story has been told: read from the story itself, and not from the webhooks.

Source: the published page, "Customer Profile Data", "Event Types and Properties" and "Smart Deduplication"; what it
        leaves open is settled as in the requirements 003-20 to 003-53, what is beyond it as in docs/event-catalogue.md.
"""

from typing import Any

from sandbox.vrio.ledger.event import Event, additional
from sandbox.vrio.ledger.events import events_of
from sandbox.vrio.ledger.profiles import periods_of, profile_at
from sandbox.vrio.records import Customer, Order
from sandbox.vrio.world import World

__all__ = ["Event", "expected"]


def expected(world: World, with_rest: bool, *, everything: bool = False) -> dict[str, dict[str, Any]]:
    """
    Profile and events by e-mail address, as plain JSON.

    Shape:  with the REST key everything is known, also from before the month, and items stand behind the offers;
            without it only what webhooks told since the month began. Whoever has no valid address, or test orders only,
            or no webhook in the month, is left out. Events are ordered by time, metric and id; under an address that
            was changed are the events and the profile until then. With everything, all that a connection can switch
            on beyond the published page is on: more metrics, and `additional` properties with each event.
    Units:  `value` in major units; `time` in UTC; CLV is text with two decimals, NextChargeDate a day in the account's
            zone.
    """
    held: dict[str, dict[str, Any]] = {}
    for customer in world.at(world.ends_at).all(Customer):
        if not _was_told_of(world, customer):
            continue
        events = events_of(world, customer, with_rest, everything)
        for period in periods_of(world, customer):
            if period.email:
                told = [event for event in events if period.begins_at <= event.at < period.ends_at]
                held[period.email] = {
                    "profile": profile_at(world.at(period.seen_at), customer, with_rest),
                    "events": [_written(world, event, with_rest, everything) for event in told],
                }
    return held


def _written(world: World, event: Event, with_rest: bool, everything: bool) -> dict[str, Any]:
    beside = {"additional": additional(world, event, with_rest)} if everything else {}
    return event.as_json(world.zone) | beside


def _was_told_of(world: World, customer: Customer) -> bool:
    orders = world.at(world.ends_at).all(Order, customer.id)
    return any(not order.is_test and order.modified_at >= world.opened_at for order in orders)
