"""Catalogues: what a merchant imported about the offers and items of one source, as one body."""

from datetime import datetime

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.store.db import Base


class CatalogRow(Base):
    """The catalogue of one source; body is as `vrio.keeping` writes it."""

    __tablename__ = "catalogs"

    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"), primary_key=True)
    body: Mapped[bytes]
    imported_at: Mapped[datetime]


def keep_catalog(session: Session, source_id: str, body: bytes, now: datetime) -> None:
    """Keep this catalogue in place of what was imported before."""
    session.merge(CatalogRow(source_id=source_id, body=body, imported_at=now))


def imported_at(session: Session, source_id: str) -> datetime | None:
    """When the catalogue of a source was imported; None when none was."""
    return session.scalar(select(CatalogRow.imported_at).where(CatalogRow.source_id == source_id))


def kept_catalog(session: Session, source_id: str) -> bytes | None:
    """The catalogue of a source; None when none was imported."""
    row = session.get(CatalogRow, source_id)
    return None if row is None else row.body
