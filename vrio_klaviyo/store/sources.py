"""Sources: where facts come from. A Vrio account, its webhook key, its zone, country and currency."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint, and_, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.errors import InvalidInput, NotFound
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.ids import new_id
from vrio_klaviyo.store.workspaces import Workspace, name_of

WEBHOOK_PATH = "/webhooks/vrio/"
# How long the old key stays good beside a new one: Vrio has four places in which the address must be changed.
OVERLAP = timedelta(days=1)
# How long before a charge it is announced, unless the source says otherwise.
UPCOMING_DAYS = 3


class Source(Base):
    """
    One Vrio account.

    Shape:  previous_key_hash is that of the key before the last rotation, which is good until previous_key_until.
    """

    __tablename__ = "sources"
    __table_args__ = (UniqueConstraint("workspace_id", "name_key"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str]
    name_key: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    key_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    previous_key_hash: Mapped[str | None]
    previous_key_until: Mapped[datetime | None]
    api_key_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    time_zone: Mapped[str]
    country: Mapped[str]
    currency: Mapped[str]
    upcoming_days: Mapped[int] = mapped_column(default=UPCOMING_DAYS, server_default=str(UPCOMING_DAYS))
    created_at: Mapped[datetime]


def add_source(
    session: Session,
    vault: Vault,
    workspace: Workspace,
    name: str,
    *,
    time_zone: str = "UTC",
    country: str = "US",
    currency: str = "USD",
    api_key: str | None = None,
) -> Source:
    """
    A new source with a webhook key of its own.

    Raises: InvalidInput when the name is taken, or zone, country or currency is none.
    """
    key, source_id = secrets.token_urlsafe(32), new_id("so")
    name = _free_name(session, workspace.id, source_id, name)
    source = Source(
        id=source_id,
        workspace_id=workspace.id,
        name=name,
        name_key=name.casefold(),
        key_hash=key_hash(key),
        key_sealed=vault.seal(key, workspace.id, source_id),
        previous_key_hash=None,
        previous_key_until=None,
        api_key_sealed=vault.seal(api_key.strip(), workspace.id, source_id) if api_key else None,
        time_zone=_zone(time_zone),
        country=_letters(country, 2, "country"),
        currency=_letters(currency, 3, "currency"),
        upcoming_days=UPCOMING_DAYS,
        created_at=datetime.now(UTC),
    )
    session.add(source)
    return source


def change_source(
    session: Session,
    vault: Vault,
    source: Source,
    *,
    name: str | None = None,
    time_zone: str | None = None,
    country: str | None = None,
    currency: str | None = None,
    upcoming_days: int | None = None,
    api_key: str | None = None,
) -> None:
    """
    Change what is given, for all that comes in from now on; None leaves a setting as it is.

    Shape:  an empty api_key takes the key away.
    Units:  upcoming_days is how many days before a charge it is announced.
    Raises: InvalidInput when the name is taken, or zone, country or currency is none.
    """
    if name is not None:
        source.name = _free_name(session, source.workspace_id, source.id, name)
        source.name_key = source.name.casefold()
    if time_zone is not None:
        source.time_zone = _zone(time_zone)
    if country is not None:
        source.country = _letters(country, 2, "country")
    if currency is not None:
        source.currency = _letters(currency, 3, "currency")
    if upcoming_days is not None:
        source.upcoming_days = upcoming_days
    if api_key is not None:
        source.api_key_sealed = vault.seal(api_key.strip(), source.workspace_id, source.id) if api_key else None


def rotate_key(source: Source, vault: Vault, now: datetime, overlap: timedelta = OVERLAP) -> None:
    """Give the source a new webhook key. The one that it had is good for that much longer; any older one is not."""
    key = secrets.token_urlsafe(32)
    source.previous_key_hash, source.previous_key_until = source.key_hash, now + overlap
    source.key_hash, source.key_sealed = key_hash(key), vault.seal(key, source.workspace_id, source.id)


def key_hash(key: str) -> str:
    """What a webhook key is found by. The key is 32 random bytes, so a plain hash tells nothing of it."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def source_of_key(session: Session, key: str, now: datetime) -> str | None:
    """The id of the source that this webhook key belongs to, or did until a short while ago."""
    hashed = key_hash(key)
    previous = and_(Source.previous_key_hash == hashed, Source.previous_key_until > now)
    return session.scalar(select(Source.id).where(or_(Source.key_hash == hashed, previous)))


def webhook_path(source: Source, vault: Vault) -> str:
    """The path that the merchant gives to Vrio; whoever knows it can post."""
    return WEBHOOK_PATH + vault.unseal(source.key_sealed, source.workspace_id, source.id)


def find_source(session: Session, name_or_id: str, workspace_id: str | None = None) -> Source:
    """
    The source of that id, or of that name in the workspace.

    Raises: NotFound; InvalidInput when several workspaces have one of that name.
    """
    query = select(Source).where(or_(Source.id == name_or_id, Source.name_key == name_or_id.strip().casefold()))
    if workspace_id is not None:
        query = query.where(Source.workspace_id == workspace_id)
    # Somebody may have called another one like this one's id.
    found = session.scalars(query.order_by(Source.id != name_or_id).limit(2)).all()
    if not found:
        raise NotFound(f"no source is called {name_or_id}")
    if len(found) > 1 and found[0].id != name_or_id:
        raise InvalidInput(f"several workspaces have a source called {name_or_id}: name it by its id")
    return found[0]


def list_sources(session: Session, workspace_id: str | None = None) -> list[Source]:
    """All sources, oldest first."""
    query = select(Source).order_by(Source.id)
    return list(session.scalars(query if workspace_id is None else query.where(Source.workspace_id == workspace_id)))


def _free_name(session: Session, workspace_id: str, source_id: str, text: str) -> str:
    name = name_of(text, "source")
    taken = select(Source.id).where(Source.workspace_id == workspace_id, Source.name_key == name.casefold())
    if session.scalar(taken.where(Source.id != source_id)):
        raise InvalidInput(f"another source is called {name}")
    return name


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(f"{name} is no time zone; write it like America/New_York") from error
    return name


def _letters(code: str, length: int, what: str) -> str:
    code = code.strip().upper()
    if len(code) != length or not (code.isascii() and code.isalpha()):
        raise InvalidInput(f"{code} is no {what}; write it with {length} letters")
    return code
