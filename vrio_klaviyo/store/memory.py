"""Memory: the latest picture of each Vrio thing, put together from all webhooks that told of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, Index, select, tuple_
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.upserts import insert


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


@dataclass(frozen=True, slots=True)
class Picture:
    """What one webhook tells of one Vrio thing, and from when that is."""

    kind: str
    vrio_id: str
    vrio_customer_id: str
    as_of: datetime
    body: bytes


class Memory:
    """What we remember of one source's things."""

    def __init__(self, session: Session, source_id: str) -> None:
        self._session = session
        self._source_id = source_id

    def remember(self, pictures: Iterable[Picture]) -> None:
        """
        Put these pictures together with those that are kept already.

        Shape:  field by field the newer one counts, and what it leaves out stands as it was; an older one fills gaps.
        """
        told = list(pictures)
        keys = [(picture.kind, picture.vrio_id) for picture in told]
        rows = self._session.scalars(
            select(RecordRow).where(
                RecordRow.source_id == self._source_id, tuple_(RecordRow.kind, RecordRow.vrio_id).in_(keys)
            )
        )
        known = {(row.kind, row.vrio_id): Picture(*_columns(row)) for row in rows}
        for picture in told:
            key = (picture.kind, picture.vrio_id)
            known[key] = _together(known[key], picture) if key in known else picture
        for key in dict.fromkeys(keys):
            self._keep(known[key])

    def _keep(self, picture: Picture) -> None:
        news = {
            "vrio_customer_id": picture.vrio_customer_id,
            "as_of": picture.as_of,
            "body": picture.body,
        }
        keys = {"source_id": self._source_id, "kind": picture.kind, "vrio_id": picture.vrio_id}
        statement = insert(self._session, RecordRow).values(keys | news)
        self._session.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=news))

    def recall(self, kind: str, vrio_id: str) -> Picture | None:
        """The picture of this thing; None when we never heard of it."""
        row = self._session.get(RecordRow, (self._source_id, kind, vrio_id), populate_existing=True)
        return None if row is None else Picture(*_columns(row))

    def recall_all(self, vrio_customer_id: str) -> list[Picture]:
        """The pictures of all things that this customer has."""
        rows = self._session.scalars(
            select(RecordRow)
            .where(
                RecordRow.source_id == self._source_id,
                RecordRow.vrio_customer_id == vrio_customer_id,
            )
            .execution_options(populate_existing=True)
        )
        return [Picture(*_columns(row)) for row in rows]


def _columns(row: RecordRow) -> tuple[str, str, str, datetime, bytes]:
    return row.kind, row.vrio_id, row.vrio_customer_id, row.as_of, row.body


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
