"""A merchant's month: many plots at once, told in the order of time, the same for the same seed."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sandbox.vrio.acts.life import Life
from sandbox.vrio.people import Person, person, with_bad_email, without_email
from sandbox.vrio.plots import buying, subscribing, trouble
from sandbox.vrio.plots.courses import Plot
from sandbox.vrio.words import Currency
from sandbox.vrio.world import World

START = datetime(2026, 9, 1)
MONTH = timedelta(days=30)

Change = Callable[[Person, Random], Person]


@dataclass(frozen=True)
class Role:
    """A plot, how often it is played, and by whom; `before` is for those who were there before the month."""

    plot: Plot
    weight: int = 1
    who: Change | None = None
    before: timedelta = timedelta(0)


ROLES = (
    Role(subscribing.subscribes, 8),
    Role(subscribing.subscribes_to_a_bundle, 4),
    Role(subscribing.fills_a_mixed_cart, 4),
    Role(subscribing.subscribes_twice),
    Role(subscribing.tries_for_nothing, 3),
    Role(subscribing.pauses_twice, 2),
    Role(subscribing.stays_paused),
    Role(subscribing.leaves, 3),
    Role(subscribing.leaves_and_returns, 2),
    Role(subscribing.leaves_before_paying),
    Role(subscribing.runs_out),
    Role(subscribing.skips),
    Role(subscribing.changes_the_terms),
    Role(subscribing.gets_another_address),
    Role(subscribing.gets_another_name),
    Role(subscribing.renews_since_long, 3, before=timedelta(days=25)),
    Role(buying.buys_once, 5),
    Role(buying.buys_a_kit, 2),
    Role(buying.buys_the_same_twice),
    Role(buying.buys_with_gift_and_upsell, 2),
    Role(buying.comes_back),
    Role(buying.buys_on_delivery),
    Role(buying.pays_by_check),
    Role(buying.authorizes_first, 2),
    Role(buying.takes_back_an_authorization),
    Role(buying.is_refused, 2),
    Role(buying.is_refused_at_first),
    Role(buying.leaves_the_cart, 3),
    Role(buying.leaves_the_cart_and_returns),
    Role(buying.is_taken_for_gone),
    Role(buying.needs_a_second_parcel),
    Role(buying.gets_nothing),
    Role(trouble.recovers, 2),
    Role(trouble.is_lost),
    Role(trouble.wants_all_back),
    Role(trouble.wants_some_back),
    Role(trouble.sends_an_item_back),
    Role(trouble.is_voided),
    Role(trouble.charges_back),
    Role(trouble.charges_back_in_vain),
    Role(trouble.alarms_the_bank),
    Role(trouble.only_tests),
    Role(trouble.tests_before_buying),
    Role(subscribing.subscribes, who=without_email),
    Role(buying.buys_once, who=with_bad_email),
)


@dataclass(frozen=True)
class Scene:
    """Somebody plays a plot from then on."""

    begins_at: datetime
    person: Person
    plot: Plot
    rng: Random


def tell_month(
    customers: int = 500,
    seed: int = 0,
    *,
    start: datetime = START,
    zone: str = "UTC",
    currency: Currency = Currency.USD,
) -> World:
    """
    The world after a month in which every role is played at least once, given as many customers as there are roles.

    Units:  `start` is wall-clock time in `zone`, whole seconds.
    """
    world = World(start, start + MONTH, zone=zone, currency=currency, seed=seed)
    return unfold(world, (_scene(start, seed, number) for number in range(customers)))


def unfold(world: World, scenes: Iterable[Scene]) -> World:
    """Play the scenes side by side until the world's end."""
    running: list[tuple[datetime, int, Iterator[timedelta]]] = [
        (scene.begins_at, number, _played(world, scene)) for number, scene in enumerate(scenes)
    ]
    heapq.heapify(running)
    while running:
        at, number, scene = heapq.heappop(running)
        if at > world.ends_at:
            break
        world.now = at
        wait = next(scene, None)
        if wait is not None:
            heapq.heappush(running, (at + wait, number, scene))
    world.now = world.ends_at
    return world


def _played(world: World, scene: Scene) -> Iterator[timedelta]:
    yield from scene.plot(Life.of(world, scene.person, scene.rng))


def _scene(start: datetime, seed: int, number: int) -> Scene:
    rng = Random(f"{seed}/{number}")
    is_first = number < len(ROLES)
    role = ROLES[number] if is_first else rng.choices(ROLES, [role.weight for role in ROLES])[0]
    someone = person(rng, number)
    if role.who:
        someone = role.who(someone, rng)
    # Those who play a role first begin at once, so that it is over within the month.
    latest = timedelta(days=1) if is_first or role.before else timedelta(days=20)
    begins_at = start - role.before + timedelta(seconds=rng.randrange(int(latest.total_seconds())))
    return Scene(begins_at, someone, role.plot, rng)
