"""Memory: the latest picture of each Vrio thing, put together from all webhooks that told of it."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ForeignKey, Index, bindparam, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.store import next_charges
from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.upserts import dialect_of, insert

# A customer who has as many things has a long history: what is known of it is kept from one transaction to the next.
LONG = 250
# More than the customers of a batch have together, unless one of them has a long history.
MOST_AT_ONCE = 2000
# The longest histories are kept until they have so many things together; the longest one always is.
MOST_KEPT = 100_000


class LongHistory(Exception):
    """There is more to be read than may be while others wait to write."""


class RecordRow(Base):
    """
    One Vrio thing of one source.

    Shape:  kind is customer, order, order_offer, transaction or shipment; body is as `vrio.keeping` writes it.
    """

    __tablename__ = "records"
    __table_args__ = (Index("ix_records_vrio_customer_id", "source_id", "vrio_customer_id"),)

    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    vrio_id: Mapped[str] = mapped_column(primary_key=True)
    vrio_customer_id: Mapped[str]
    as_of: Mapped[datetime]
    body: Mapped[bytes]


class Picture(NamedTuple):
    """What one webhook tells of one Vrio thing, and from when that is."""

    kind: str
    vrio_id: str
    vrio_customer_id: str
    as_of: datetime
    body: bytes


_ROWS = RecordRow.__table__.c
_PICTURES = select(_ROWS.kind, _ROWS.vrio_id, _ROWS.vrio_customer_id, _ROWS.as_of, _ROWS.body).where(
    _ROWS.source_id == bindparam("source")
)
# Kind by kind, because SQLite finds no index for pairs and would read everything that the source has.
_THINGS = _PICTURES.where(_ROWS.kind == bindparam("kind"), _ROWS.vrio_id.in_(bindparam("ids", expanding=True)))
_OF_CUSTOMERS = _ROWS.vrio_customer_id.in_(bindparam("customers", expanding=True))
_ALL_OF = _PICTURES.where(_OF_CUSTOMERS)
_SOME_OF = _ALL_OF.limit(bindparam("most"))
_NUMBERS = (
    select(_ROWS.vrio_customer_id.label("customer"), func.count().label("number"))
    .where(_ROWS.source_id == bindparam("source"), _OF_CUSTOMERS)
    .group_by(_ROWS.vrio_customer_id)
)


class Memory:
    """
    What we remember of one source's things.

    Shape:  for as long as one transaction, in which nobody else writes of this source: what was looked for once is not
            looked for again, and what is remembered is known at once. `go_on` takes it into the next one.
    """

    def __init__(self, session: Session, source_id: str) -> None:
        self._session = session
        self._source_id = source_id
        self._known: dict[tuple[str, str], Picture | None] = {}
        # What became known of a customer's things, one after the other; of those of `_whole` it is all there is.
        self._told_of: dict[str, list[Picture]] = {}
        self._number_of: dict[str, int] = {}
        self._whole: set[str] = set()

    def go_on(self, session: Session) -> None:
        """
        Go on in another transaction of whoever has held the source's lease all the time.

        Shape:  long histories stay known, the rest is looked for again. Without the lease nobody adds to them; what was
                removed, because somebody is to be forgotten, shows by their number.
        """
        self._session = session
        known: list[str] = []
        together = 0
        for customer in sorted(self.long_histories(), key=lambda one: -self._number_of[one]):
            together += self._number_of[customer]
            if not known or together <= MOST_KEPT:
                known.append(customer)
        numbers: dict[str, int] = {}
        if known:
            rows = self._rows(_NUMBERS, {"source": self._source_id, "customers": known})
            numbers = {row.customer: row.number for row in rows}
        self._whole = {customer for customer in known if numbers.get(customer) == self._number_of[customer]}
        self._told_of = {customer: self._told_of[customer] for customer in self._whole}
        self._number_of = {customer: self._number_of[customer] for customer in self._whole}
        still = self._known.items() if self._whole else ()
        self._known = {
            thing: picture for thing, picture in still if picture and picture.vrio_customer_id in self._whole
        }

    def long_histories(self) -> set[str]:
        """The customers that are known to have many things."""
        return {customer for customer in self._whole if self._number_of.get(customer, 0) >= LONG}

    def expect(self, things: Iterable[tuple[str, str]], at_most: int | None = None) -> None:
        """
        Look for all these things, by kind and id, and for whatever their customers have, before they are asked for.

        Shape:  a query for each kind and one for the customers, however many there are.
        Raises: LongHistory when the customers have more than `at_most` things that are not known yet.
        """
        wanted = set(things)
        self._look_for(wanted)
        found = (self._known[thing] for thing in wanted)
        customers = {picture.vrio_customer_id for picture in found if picture}
        self._look_for_all_of(customers | {vrio_id for kind, vrio_id in wanted if kind == "customer"}, at_most)

    def remember(self, pictures: Iterable[Picture]) -> None:
        """
        Put these pictures together with those that are kept already.

        Shape:  field by field the newer one counts, and what it leaves out stands as it was; an older one fills gaps.
        """
        told = list(pictures)
        things = list(dict.fromkeys((picture.kind, picture.vrio_id) for picture in told))
        self._look_for(things)
        before = [self._known[thing] for thing in things]
        for picture in told:
            known = self._known[picture.kind, picture.vrio_id]
            self._know(_together(known, picture) if known else picture)
        after = [self._known[thing] for thing in things]
        changed = [picture for picture, known in zip(after, before, strict=True) if picture and picture != known]
        if changed:
            rows = [{"source_id": self._source_id, **picture._asdict()} for picture in changed]
            self._session.connection().execute(_keeping(dialect_of(self._session)), rows)
            self._plan_charges(zip(before, after, strict=True))

    def _plan_charges(self, pictures: Iterable[tuple[Picture | None, Picture | None]]) -> None:
        changed = (
            (picture.vrio_id, picture.vrio_customer_id, known.body if known else None, picture.body)
            for known, picture in pictures
            if picture and picture.kind == "order_offer" and picture != known
        )
        next_charges.plan(self._session, self._source_id, changed)

    def recall(self, kind: str, vrio_id: str) -> Picture | None:
        """The picture of this thing; None when we never heard of it."""
        self._look_for([(kind, vrio_id)])
        return self._known[kind, vrio_id]

    def recall_these(self, things: Iterable[tuple[str, str]]) -> list[Picture]:
        """The pictures of these things, by kind and id, in one query; what we never heard of is left out."""
        wanted = set(things)
        self._look_for(wanted)
        return [picture for thing in wanted if (picture := self._known[thing])]

    def told_of(self, vrio_customer_id: str, since: int = 0) -> list[Picture]:
        """
        What became known of this customer's things after so many others, the earlier first.

        Shape:  a later picture of a thing takes the place of an earlier one, and may say that it is somebody else's.
        """
        self._look_for_all_of([vrio_customer_id])
        return self._told_of.get(vrio_customer_id, [])[since:]

    def _look_for(self, things: Iterable[tuple[str, str]]) -> None:
        unknown: dict[str, list[str]] = {}
        for kind, vrio_id in things:
            if (kind, vrio_id) not in self._known:
                self._known[kind, vrio_id] = None
                unknown.setdefault(kind, []).append(vrio_id)
        for kind, ids in unknown.items():
            self._learn(self._rows(_THINGS, {"source": self._source_id, "kind": kind, "ids": ids}))

    def _look_for_all_of(self, customers: Iterable[str], at_most: int | None = None) -> None:
        unknown = [customer for customer in customers if customer and customer not in self._whole]
        if unknown:
            asked = {"source": self._source_id, "customers": unknown}
            if at_most is None:
                rows = self._rows(_ALL_OF, asked)
            elif len(rows := self._rows(_SOME_OF, asked | {"most": at_most + 1})) > at_most:
                raise LongHistory(f"more than {at_most} things")
            self._whole.update(unknown)
            self._learn(rows)

    def _rows(self, query: Any, asked: dict[str, Any]) -> Sequence[Any]:
        return self._session.connection().execute(query, asked).all()

    def _learn(self, rows: Sequence[Any]) -> None:
        for row in rows:
            # What is known by now was read before, and may have been added to since.
            if self._known.get((row.kind, row.vrio_id)) is None:
                self._know(Picture(*row))

    def _know(self, picture: Picture) -> None:
        thing = (picture.kind, picture.vrio_id)
        before, self._known[thing] = self._known.get(thing), picture
        owner = picture.vrio_customer_id
        self._told_of.setdefault(owner, []).append(picture)
        if before is None or before.vrio_customer_id != owner:
            self._number_of[owner] = self._number_of.get(owner, 0) + 1
        if before is not None and before.vrio_customer_id != owner:
            self._number_of[before.vrio_customer_id] -= 1
            self._told_of[before.vrio_customer_id].append(picture)


@cache
def _keeping(dialect: str) -> Any:
    """The statement that keeps pictures, made once: building it takes longer than doing it."""
    keep = insert(dialect, RecordRow)
    news = {name: keep.excluded[name] for name in ("vrio_customer_id", "as_of", "body")}
    return keep.on_conflict_do_update(index_elements=["source_id", "kind", "vrio_id"], set_=news)


def _together(known: Picture, told: Picture) -> Picture:
    older, newer = (known, told) if told.as_of >= known.as_of else (told, known)
    body = json.loads(older.body) | json.loads(newer.body)
    return Picture(
        newer.kind,
        newer.vrio_id,
        newer.vrio_customer_id or older.vrio_customer_id,
        newer.as_of,
        json.dumps(body, separators=(",", ":")).encode(),
    )
