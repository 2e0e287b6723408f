"""Workspaces: a merchant's tenancy."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.errors import InvalidInput, NotFound
from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.ids import new_id

DEFAULT = "default"


class Workspace(Base):
    __tablename__ = "workspaces"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


def add_workspace(session: Session, name: str) -> Workspace:
    """
    A new workspace.

    Raises: InvalidInput when the name is empty, too long or taken.
    """
    name = name_of(name, "workspace")
    if session.scalar(select(Workspace).where(Workspace.name == name)):
        raise InvalidInput(f"another workspace is called {name}")
    workspace = Workspace(id=new_id("ws"), name=name, created_at=datetime.now(UTC))
    session.add(workspace)
    return workspace


def find_workspace(session: Session, name_or_id: str = DEFAULT) -> Workspace:
    """
    The workspace of that name or id.

    Raises: NotFound.
    """
    found = session.scalar(select(Workspace).where((Workspace.name == name_or_id) | (Workspace.id == name_or_id)))
    if found is None:
        raise NotFound(f"no workspace is called {name_or_id}")
    return found


def name_of(text: str, what: str) -> str:
    """
    A name as kept: trimmed, 1 to 80 characters.

    Raises: InvalidInput.
    """
    name = " ".join(text.split())
    if not 1 <= len(name) <= 80:
        raise InvalidInput(f"the {what}'s name must have 1 to 80 characters")
    return name
