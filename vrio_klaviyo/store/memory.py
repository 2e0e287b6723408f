"""Memory: the latest picture of each Vrio thing, put together from all webhooks that told of it."""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ForeignKey, Index, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.store import next_charges
from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.upserts import dialect_of, insert


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
_ALL_OF = _PICTURES.where(_ROWS.vrio_customer_id.in_(bindparam("customers", expanding=True)))


class Memory:
    """
    What we remember of one source's things.

    Shape:  for as long as one transaction, in which nobody else writes of this source: what was looked for once is not
            looked for again, and what is remembered is known at once.
    """

    def __init__(self, session: Session, source_id: str) -> None:
        self._session = session
        self._source_id = source_id
        self._known: dict[tuple[str, str], Picture | None] = {}
        # The things of a customer that was looked for, or will be; those of `_whole` are all there are.
        self._things_of: dict[str, set[tuple[str, str]]] = {}
        self._whole: set[str] = set()

    def expect(self, things: Iterable[tuple[str, str]]) -> None:
        """
        Look for all these things, by kind and id, and for whatever their customers have, before they are asked for.

        Shape:  a query for each kind and one for the customers, however many there are.
        """
        wanted = set(things)
        self._look_for(wanted)
        found = (self._known[thing] for thing in wanted)
        customers = {picture.vrio_customer_id for picture in found if picture}
        self._look_for_all_of(customers | {vrio_id for kind, vrio_id in wanted if kind == "customer"})

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

    def recall_all(self, vrio_customer_id: str) -> list[Picture]:
        """The pictures of all things that this customer has."""
        self._look_for_all_of([vrio_customer_id])
        found = (self._known[thing] for thing in self._things_of.get(vrio_customer_id, ()))
        return [picture for picture in found if picture and picture.vrio_customer_id == vrio_customer_id]

    def _look_for(self, things: Iterable[tuple[str, str]]) -> None:
        unknown: dict[str, list[str]] = {}
        for kind, vrio_id in things:
            if (kind, vrio_id) not in self._known:
                self._known[kind, vrio_id] = None
                unknown.setdefault(kind, []).append(vrio_id)
        for kind, ids in unknown.items():
            self._learn(_THINGS, {"source": self._source_id, "kind": kind, "ids": ids})

    def _look_for_all_of(self, customers: Iterable[str]) -> None:
        unknown = [customer for customer in customers if customer and customer not in self._whole]
        if unknown:
            self._whole.update(unknown)
            self._learn(_ALL_OF, {"source": self._source_id, "customers": unknown})

    def _learn(self, query: Any, asked: dict[str, Any]) -> None:
        for row in self._session.connection().execute(query, asked):
            # What is known by now was read before, and may have been added to since.
            if self._known.get((row.kind, row.vrio_id)) is None:
                self._know(Picture(*row))

    def _know(self, picture: Picture) -> None:
        thing = (picture.kind, picture.vrio_id)
        self._known[thing] = picture
        self._things_of.setdefault(picture.vrio_customer_id, set()).add(thing)


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
