"""The life of one customer, which acts and plots work on."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from sandbox.vrio.people import Person, settle
from sandbox.vrio.records import Customer, Order, OrderOffer, Revision
from sandbox.vrio.world import Moment, World

# Vrio: at most one `order_updated` for an order per minute.
CHATTER_PAUSE = timedelta(minutes=1)


@dataclass
class Life:
    """One customer in the world, with a chance of their own."""

    world: World
    rng: Random
    customer_id: int
    chatted_at: dict[int, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World, someone: Person, rng: Random) -> "Life":
        """A new customer."""
        return cls(world, rng, settle(world, someone, rng).id)

    @property
    def now(self) -> datetime:
        return self.world.now

    @property
    def view(self) -> Moment:
        return self.world.current

    @property
    def customer(self) -> Customer:
        return self.view.get(Customer, self.customer_id)

    def order(self, order_id: int) -> Order:
        return self.view.get(Order, order_id)

    def offer(self, order_offer_id: int) -> OrderOffer:
        return self.view.get(OrderOffer, order_offer_id)

    def subscriptions(self, order_id: int) -> list[OrderOffer]:
        """The lines of an order that are charged again and again, in the order of their ids."""
        return [offer for offer in self.view.offers(self.order(order_id)) if offer.is_recurring]

    def note(self, order_id: int, text: str) -> None:
        """Something changed about an order: it gets a note, and Vrio says so unless it just did."""
        order = self.order(order_id)
        revision = Revision(self.world.number("revision"), text, self.now)
        order = self.world.change(order, revisions=(*order.revisions, revision))
        last = self.chatted_at.get(order_id)
        if last is None or self.now - last >= CHATTER_PAUSE:
            self.chatted_at[order_id] = self.now
            self.world.tell("order_updated", order)
