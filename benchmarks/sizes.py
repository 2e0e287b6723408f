"""How much of everything: enough for figures, or just enough to see that it works."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """
    How much a benchmark does.

    Shape:  rounds are for what is compared side by side; all others are numbers of webhooks, events, clients or rows,
            in each round where there are rounds.
    """

    rounds: int
    received: int
    paced: int
    drained: int
    calm: int
    waited: int
    plain: int
    plain_waited: int
    limited_calm: int
    limited_rush: int
    dripping: int
    idle: int
    accounts: int
    each: int
    few_rows: int
    many_rows: int


FULL = Size(
    rounds=3,
    received=1_000,
    paced=1_500,
    drained=3_400,
    calm=300,
    waited=2_000,
    plain=170,
    plain_waited=34,
    limited_calm=7_000,
    limited_rush=20_000,
    dripping=200,
    idle=150,
    accounts=50,
    each=20,
    few_rows=10_000,
    many_rows=1_000_000,
)
QUICK = Size(
    rounds=1,
    received=60,
    paced=60,
    drained=40,
    calm=20,
    waited=20,
    plain=3,
    plain_waited=2,
    limited_calm=120,
    limited_rush=1_500,
    dripping=20,
    idle=5,
    accounts=4,
    each=4,
    few_rows=500,
    many_rows=5_000,
)
