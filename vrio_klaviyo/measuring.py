"""A connection's figures: what became of a period's deliveries, hour by hour, and how that compares with before."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vrio_klaviyo.store import periods
from vrio_klaviyo.store.causes import Group, groups_by_cause
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import DeliveryStatus
from vrio_klaviyo.store.periods import WAITING, Span

ACCEPTED, FAILED, SKIPPED = DeliveryStatus.ACCEPTED, DeliveryStatus.FAILED, DeliveryStatus.SKIPPED
_STEPS = ((timedelta(hours=3), timedelta(minutes=5)), (timedelta(days=3), timedelta(hours=1)))
_LONGEST_STEP = timedelta(days=1)
LONGEST = timedelta(days=400)
# The newest so many of each bar are looked at; what the others took is as theirs.
_TIMED_PER_BAR = 200


@dataclass(frozen=True, slots=True)
class Totals:
    """
    What became of the deliveries that were opened in a period, by how they stand today.

    Shape:  opened is the sum of the others.
    """

    accepted: int = 0
    not_sent: int = 0
    failed: int = 0
    waiting: int = 0

    @property
    def opened(self) -> int:
        """All that were opened."""
        return self.accepted + self.not_sent + self.failed + self.waiting

    @property
    def accepted_share(self) -> float | None:
        """Of what was sent to its end, the part that Klaviyo took; None when nothing was."""
        ended = self.accepted + self.failed
        return self.accepted / ended if ended else None


@dataclass(frozen=True, slots=True)
class Bar:
    """What was opened between two times, as far as it was accepted or has failed."""

    since: datetime
    until: datetime
    accepted: int
    failed: int


@dataclass(frozen=True, slots=True)
class Waited:
    """
    From a webhook's arrival until Klaviyo had taken what followed from it.

    Units:  seconds; the percentiles are weighed, because of each bar only the newest `timed` together were looked at.
    """

    p50_s: float
    p95_s: float
    p99_s: float
    timed: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """
    From webhook to Klaviyo, stage by stage.

    Shape:  webhooks are the whole workspace's, since every source feeds every connection; nothing_follows are those of
            them that were ignored, unknown or unreadable. filtered is what was not sent. again counts attempts by what
            they were made for, refused by the kind of answer.
    """

    webhooks: int
    nothing_follows: int
    filtered: int
    deliveries: int
    again: Mapping[str, int]
    accepted: int
    refused: Mapping[str, int]

    @property
    def retried(self) -> int:
        """How many attempts were made because one before them did not do it."""
        return sum(self.again.values())


@dataclass(frozen=True, slots=True)
class Measures:
    """The figures of one period; `before` are the totals of the one just as long before it."""

    span: Span
    totals: Totals
    before: Totals
    pipeline: Pipeline
    bars: Sequence[Bar]
    waited: Waited | None
    oldest_waiting: datetime | None


def measure(
    session: Session, workspace_id: str, connection_ids: Sequence[str], since: datetime, until: datetime
) -> Measures:
    """
    The figures of these connections of a workspace for a period.

    Shape:  a longer one than `LONGEST` is cut; one that has not begun is empty.
    """
    span = Span(min(max(since, until - LONGEST), until), until)
    earlier = Span(span.since - (span.until - span.since), span.since)
    bars = _bars(span)
    now_and_before = periods.opened(session, connection_ids, [span, earlier])
    totals, before = map(_totals, now_and_before)
    by_bar = periods.opened(session, connection_ids, bars, (ACCEPTED, FAILED))
    return Measures(
        span=span,
        totals=totals,
        before=before,
        pipeline=_pipeline(session, workspace_id, connection_ids, span, totals),
        bars=[
            Bar(bar.since, bar.until, counts[ACCEPTED], counts[FAILED])
            for bar, counts in zip(bars, by_bar, strict=True)
        ],
        waited=_waited(session, connection_ids, bars, [counts[ACCEPTED] for counts in by_bar]),
        oldest_waiting=periods.oldest_waiting(session, connection_ids),
    )


def by_metric(session: Session, connection_ids: Sequence[str], span: Span, metrics: Sequence[str]) -> dict[str, Totals]:
    """What became of the deliveries of each metric, those that were opened at all; "" is that of profiles."""
    found = periods.opened_by_metric(session, connection_ids, span, metrics)
    return {metric: totals for metric, counts in found.items() if (totals := _totals(counts)).opened}


def errors(session: Session, workspace_id: str, connection_ids: Sequence[str], since: datetime) -> list[Group]:
    """What went wrong, grouped by cause; `known_error` has the words for each."""
    return groups_by_cause(
        session, workspace_id, statuses=(FAILED, DeliveryStatus.HELD), connections=connection_ids, since=since
    )


def change(now: float, before: float) -> float | None:
    """How much more it is than before, as a part of what it was; None when there was nothing to compare with."""
    return None if not before else (now - before) / before


def _totals(counts: Counter[str]) -> Totals:
    waiting = sum(counts[status] for status in WAITING)
    return Totals(counts[ACCEPTED], counts[SKIPPED], counts[FAILED], waiting)


def _bars(span: Span) -> list[Span]:
    """The period cut at whole hours, or what else suits its length; the first and the last may be shorter."""
    length = span.until - span.since
    step = next((step for most, step in _STEPS if length <= most), _LONGEST_STEP)
    bars, since = [], span.since
    epoch = datetime(2000, 1, 1, tzinfo=UTC)
    while since < span.until:
        until = epoch + ((since - epoch) // step + 1) * step
        bars.append(Span(since, min(until, span.until)))
        since = until
    return bars


def _pipeline(
    session: Session, workspace_id: str, connection_ids: Sequence[str], span: Span, totals: Totals
) -> Pipeline:
    came = periods.received(session, workspace_id, span)
    refused: Counter[str] = Counter()
    for status, count in periods.in_vain_by_answer(session, connection_ids, span).items():
        refused[_kind_of(status)] += count
    return Pipeline(
        webhooks=came.total(),
        nothing_follows=came["ignored"] + came["unknown"] + came["unreadable"],
        filtered=totals.not_sent,
        deliveries=totals.opened - totals.not_sent,
        again=periods.again_by_trigger(session, connection_ids, span),
        accepted=totals.accepted,
        refused=dict(refused),
    )


def _kind_of(status: int | None) -> str:
    match status:
        case None:
            return "network"
        case 401 | 403:
            return "401/403"
        case 429:
            return "429"
        case _ if status >= 500:
            return "5xx"
    return "other 4xx"


def _waited(
    session: Session, connection_ids: Sequence[str], bars: Sequence[Span], accepted: Sequence[int]
) -> Waited | None:
    """Percentiles over a sample of every bar, each weighed by how many it stands for."""
    weighed: list[tuple[float, float]] = []
    for bar, count in zip(bars, accepted, strict=True):
        timed = periods.seconds_to_accept(session, connection_ids, bar, _TIMED_PER_BAR) if count else []
        weighed += [(seconds, count / len(timed)) for seconds in timed]
    if not weighed:
        return None
    weighed.sort()
    p50_s, p95_s, p99_s = (_percentile(weighed, part) for part in (0.5, 0.95, 0.99))
    return Waited(p50_s, p95_s, p99_s, timed=len(weighed))


def _percentile(weighed: Sequence[tuple[float, float]], part: float) -> float:
    """The least value that at least this part of all weight does not exceed."""
    wanted = part * sum(weight for _, weight in weighed)
    reached = 0.0
    for seconds, weight in weighed:
        reached += weight
        # Sums of fractions end a little below what they should be.
        if reached > wanted - 1e-6:
            return seconds
    return weighed[-1][0]
