"""Connections: a Klaviyo account that we send to. Name, private key, switches and campaigns."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint, false, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.errors import InvalidInput, NotFound
from vrio_klaviyo.klaviyo.requests import REVISION, Style
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.ids import new_id
from vrio_klaviyo.store.workspaces import Workspace, name_of


class KeyStatus(StrEnum):
    """What Klaviyo said of the key last."""

    UNCHECKED = "unchecked"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class KlaviyoAccount(Base):
    """
    One Klaviyo account, which is one lane: its limits are shared by all its keys.

    Shape:  klaviyo_id is None while the account is provisional, that is until Klaviyo has told which one it is. name,
            time_zone and currency are "" until a key that may read them was checked; is_test is Klaviyo's flag. pacing
            is what the `Pacer` keeps, and until when Klaviyo wants nothing at all. rate_per_minute is the merchant's
            own cap for each endpoint. failures counts the calls that failed one after another, whichever delivery they
            were for.
    """

    __tablename__ = "klaviyo_accounts"

    id: Mapped[str] = mapped_column(primary_key=True)
    klaviyo_id: Mapped[str | None]
    name: Mapped[str]
    time_zone: Mapped[str] = mapped_column(default="", server_default=text("''"))
    currency: Mapped[str] = mapped_column(default="", server_default=text("''"))
    is_test: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime]
    pacing: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    rate_per_minute: Mapped[int | None]
    failures: Mapped[int] = mapped_column(server_default=text("0"))


class Connection(Base):
    __tablename__ = "connections"
    __table_args__ = (UniqueConstraint("workspace_id", "name_key"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("klaviyo_accounts.id"), index=True)
    name: Mapped[str]
    name_key: Mapped[str]
    key_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    key_hint: Mapped[str]
    key_status: Mapped[str]
    key_reason: Mapped[str]
    checked_at: Mapped[datetime | None]
    scopes: Mapped[dict[str, str]]
    push_events: Mapped[bool]
    campaigns: Mapped[list[str]]
    active: Mapped[bool]
    activated_at: Mapped[datetime | None]
    revision: Mapped[str]
    metrics_off: Mapped[list[str]]
    metrics_on: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    additional_properties: Mapped[bool] = mapped_column(default=False, server_default=false())
    typed: Mapped[bool]
    one_time_as_placed_order: Mapped[bool]
    test_orders: Mapped[bool]
    phone_placement: Mapped[str]
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]

    @property
    def status(self) -> str:
        """One word for people: paused, key_rejected or active."""
        if not self.active:
            return "paused"
        return "key_rejected" if self.key_status == KeyStatus.REJECTED else "active"

    @property
    def style(self) -> Style:
        """How this connection's bodies are written."""
        return Style(
            revision=self.revision,
            typed=self.typed,
            phone_placement=self.phone_placement,
            additional=self.additional_properties,
        )


def add_connection(
    session: Session,
    vault: Vault,
    workspace: Workspace,
    name: str,
    key: str,
    *,
    campaigns: list[str] | None = None,
    push_events: bool = True,
    active: bool = True,
) -> Connection:
    """
    A new connection, on a provisional account of its own until Klaviyo tells which one it is.

    Raises: InvalidInput when the name is taken or the key cannot be one.
    """
    name = _free_name(session, workspace.id, "", name)
    key, now = private_key(key), datetime.now(UTC)
    account = KlaviyoAccount(id=new_id("ka"), klaviyo_id=None, name="", created_at=now)
    connection_id = new_id("cn")
    connection = Connection(
        id=connection_id,
        workspace_id=workspace.id,
        account_id=account.id,
        name=name,
        name_key=name.casefold(),
        key_sealed=vault.seal(key, workspace.id, connection_id),
        key_hint=_hint(key),
        key_status=KeyStatus.UNCHECKED,
        key_reason="",
        checked_at=None,
        scopes={},
        push_events=push_events,
        campaigns=[campaign.strip() for campaign in campaigns or []],
        active=active,
        activated_at=now if active else None,
        revision=REVISION,
        metrics_off=[],
        metrics_on=[],
        additional_properties=False,
        typed=False,
        one_time_as_placed_order=False,
        test_orders=False,
        phone_placement="both",
        created_at=now,
    )
    session.add(account)
    session.flush()
    session.add(connection)
    return connection


def change_connection(
    connection: Connection,
    *,
    push_events: bool | None = None,
    campaigns: list[str] | None = None,
    metrics_off: list[str] | None = None,
    metrics_on: list[str] | None = None,
    additional_properties: bool | None = None,
    typed: bool | None = None,
    one_time_as_placed_order: bool | None = None,
    test_orders: bool | None = None,
    phone_placement: str | None = None,
) -> None:
    """
    Change what is given; None leaves a setting as it is.

    Shape:  typed, additional_properties and phone_placement hold for all that is sent from now on, the others for what
            comes in from now on. No campaigns at all stands for all of them. metrics_off are of the published page,
            metrics_on beyond it.
    """
    news = {
        "push_events": push_events,
        "campaigns": campaigns,
        "metrics_off": metrics_off,
        "metrics_on": metrics_on,
        "additional_properties": additional_properties,
        "typed": typed,
        "one_time_as_placed_order": one_time_as_placed_order,
        "test_orders": test_orders,
        "phone_placement": phone_placement,
    }
    for name, value in news.items():
        if value is not None:
            setattr(connection, name, value)


def rename_connection(session: Session, connection: Connection, name: str) -> None:
    """
    Call it something else.

    Raises: InvalidInput when the name is taken.
    """
    connection.name = _free_name(session, connection.workspace_id, connection.id, name)
    connection.name_key = connection.name.casefold()


def archive_connection(connection: Connection, now: datetime) -> None:
    """Put it away for good, so that another one may be called so."""
    connection.active = False
    connection.archived_at = connection.archived_at or now
    # No name that somebody types is like this.
    connection.name_key = f"{connection.name.casefold()}\n{connection.id}"


def _free_name(session: Session, workspace_id: str, connection_id: str, text: str) -> str:
    name = name_of(text, "connection")
    taken = select(Connection.id).where(Connection.workspace_id == workspace_id, Connection.name_key == name.casefold())
    if session.scalar(taken.where(Connection.id != connection_id)):
        raise InvalidInput(f"another connection is called {name}")
    return name


def change_key(connection: Connection, vault: Vault, key: str) -> None:
    """
    Put another key in place of the one that there is.

    Raises: InvalidInput when it cannot be one.
    """
    key = private_key(key)
    connection.key_sealed = vault.seal(key, connection.workspace_id, connection.id)
    connection.key_hint = _hint(key)


def private_key(text: str) -> str:
    """
    A private Klaviyo key as typed or pasted, without the white space around it.

    Raises: InvalidInput, in a sentence that tells the mistake.
    Source: requirement 003-9.
    """
    key = text.strip()
    if re.fullmatch("[A-Za-z0-9]{6,8}", key):
        raise InvalidInput("This looks like your public API key (Site ID). Paste the private key, it starts with pk_.")
    if not key:
        raise InvalidInput("The private API key is empty.")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise InvalidInput("The key was copied incompletely: it has spaces, line breaks or other signs in it.")
    return key


def _hint(key: str) -> str:
    return f"pk_…{key[-4:]}"


def find_connection(session: Session, name_or_id: str, workspace_id: str | None = None) -> Connection:
    """
    The connection of that id, or of that name in the workspace.

    Raises: NotFound; InvalidInput when several workspaces have one of that name.
    """
    named = or_(Connection.id == name_or_id, Connection.name_key == name_or_id.strip().casefold())
    query = select(Connection).where(named)
    if workspace_id is not None:
        query = query.where(Connection.workspace_id == workspace_id)
    # Somebody may have called another one like this one's id.
    found = session.scalars(query.order_by(Connection.id != name_or_id).limit(2)).all()
    if not found:
        raise NotFound(f"no connection is called {name_or_id}")
    if len(found) > 1 and found[0].id != name_or_id:
        raise InvalidInput(f"several workspaces have a connection called {name_or_id}: name it by its id")
    return found[0]


def list_connections(session: Session, workspace_id: str | None = None, *, archived: bool = False) -> list[Connection]:
    """All connections, oldest first; those that were put away only when they are asked for, too."""
    query = select(Connection).order_by(Connection.id)
    if not archived:
        query = query.where(Connection.archived_at.is_(None))
    if workspace_id is not None:
        query = query.where(Connection.workspace_id == workspace_id)
    return list(session.scalars(query))


def switch(session: Session, connection: Connection, *, active: bool, now: datetime) -> None:
    """Pause or activate; the first activation is when this connection's history begins."""
    connection.active = active
    if active and connection.activated_at is None:
        connection.activated_at = now
