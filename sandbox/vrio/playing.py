"""The month as Vrio sends it: webhooks in bursts of five minutes, some of them late, twice or in another order."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from sandbox.vrio.spelling import Generation
from sandbox.vrio.webhooks import body
from sandbox.vrio.world import Fact, World

BURST = timedelta(minutes=5)
GENERATIONS: tuple[Generation, ...] = ("v1", "v2", "rest")


@dataclass(frozen=True)
class DeliveryPlan:
    """
    How well the sending goes.

    Shape:  `late` and `doubled` are shares of all webhooks; each is put off by up to `most_bursts_late` bursts. A
            doubled one comes with the same bytes, or with its event id as the other of number and text. `spared` names
            webhook types, such as `order_offer`, that come once and in order.
    """

    generation: Generation | Literal["mixed"] = "v1"
    late: float = 0.0
    doubled: float = 0.0
    shuffled: bool = False
    most_bursts_late: int = 24
    spared: frozenset[str] = frozenset()
    seed: int = 0


SMOOTH = DeliveryPlan()
UNRULY = DeliveryPlan(generation="mixed", late=0.05, doubled=0.1, shuffled=True)


@dataclass(frozen=True)
class Burst:
    """What Vrio sends in one run, in this order."""

    at: datetime
    bodies: tuple[bytes, ...]


@dataclass(frozen=True)
class _Sending:
    fact: Fact
    generation: Generation
    retypes_id: bool = False


def bursts(world: World, plan: DeliveryPlan = SMOOTH) -> Iterator[Burst]:
    """All bursts since the month began, in the order of time; the same for the same world and plan."""
    runs: dict[datetime, list[_Sending]] = {}
    rng = Random(f"{plan.seed}/bursts")
    for fact in world.facts:
        if fact.at >= world.opened_at:
            for at, sending in _sendings(world, fact, plan, rng):
                runs.setdefault(at, []).append(sending)
    for at, sendings in sorted(runs.items()):
        if plan.shuffled:
            sendings = _shuffled(sendings, plan, rng)
        yield Burst(at, tuple(_bytes(world, sending) for sending in sendings))


def play(
    world: World,
    post: Callable[[bytes], object],
    plan: DeliveryPlan = SMOOTH,
    after: Callable[[Burst], object] = lambda burst: None,
) -> int:
    """
    Post every webhook and give their number; meanwhile the world is as it was at each burst, afterwards at its end.

    Shape:  `after` is called when a burst is over.
    """
    posted = 0
    try:
        for burst in bursts(world, plan):
            world.now = burst.at
            for sent in burst.bodies:
                post(sent)
            posted += len(burst.bodies)
            after(burst)
    finally:
        world.now = world.ends_at
    return posted


def _sendings(world: World, fact: Fact, plan: DeliveryPlan, rng: Random) -> Iterator[tuple[datetime, _Sending]]:
    generation = rng.choice(GENERATIONS) if plan.generation == "mixed" else plan.generation
    runs = (fact.at - world.opened_at) // BURST + 1
    at = world.opened_at + runs * BURST
    is_spared = fact.thing in plan.spared
    if not is_spared and rng.random() < plan.late:
        at += BURST * rng.randint(1, plan.most_bursts_late)
    yield at, _Sending(fact, generation)
    if not is_spared and rng.random() < plan.doubled:
        later = at + BURST * rng.randint(0, plan.most_bursts_late)
        yield later, _Sending(fact, generation, retypes_id=rng.random() < 0.5)


def _shuffled(sendings: Iterable[_Sending], plan: DeliveryPlan, rng: Random) -> list[_Sending]:
    """In any order, but for the spared types, which keep theirs."""
    mixed = list(sendings)
    spared = [sending for sending in mixed if sending.fact.thing in plan.spared]
    rng.shuffle(mixed)
    in_order = iter(spared)
    return [next(in_order) if sending.fact.thing in plan.spared else sending for sending in mixed]


def _bytes(world: World, sending: _Sending) -> bytes:
    told = body(world, sending.fact, sending.generation)
    if not sending.retypes_id:
        return told
    webhook = json.loads(told)
    event_id = webhook["webhook_event_id"]
    webhook["webhook_event_id"] = str(event_id) if isinstance(event_id, int) else int(event_id)
    return json.dumps(webhook).encode()
