"""What belongs to which workspace: the one way in which an id that came from outside becomes a row."""

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from vrio_klaviyo.errors import NotFound
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.sources import Source

Thing = TypeVar("Thing", bound=Base)


def find_in(session: Session, workspace_id: str, model: type[Thing], thing_id: str) -> Thing:
    """
    The thing of that id, when it is this workspace's.

    Raises: NotFound, and what is another workspace's is not found either.
    """
    columns: Any = model
    found = session.scalar(select(model).where(columns.id == thing_id, belongs_to(model, workspace_id)))
    if found is None:
        raise NotFound(f"nothing here has the id {thing_id}")
    return found


def belongs_to(model: type[Base], workspace_id: str) -> ColumnElement[bool]:
    """The condition that a row is this workspace's: by itself, through its connection or through its source."""
    columns: Any = model
    if hasattr(model, "workspace_id"):
        return columns.workspace_id == workspace_id  # type: ignore[no-any-return]
    for column, owner in (("connection_id", Connection), ("source_id", Source)):
        if hasattr(model, column):
            theirs = select(owner.id).where(owner.workspace_id == workspace_id)
            return getattr(model, column).in_(theirs)  # type: ignore[no-any-return]
    raise TypeError(f"{model.__name__} belongs to no workspace")
