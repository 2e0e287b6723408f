"""The audit log: who did what, when, and what was before and after. Rows are only ever added."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, event
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.ids import new_id

COMMAND_LINE = "command line"


class AuditEntry(Base):
    """
    One thing that somebody did.

    Shape:  user_id is None for a command, and for who is not known; actor is the e-mail as it was then. action is
            `noun.done`. subject is the id of what it was done to. details never holds a key, a password or a body.
    """

    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_workspace_id", "workspace_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, Any]]


def note(
    session: Session,
    workspace_id: str,
    action: str,
    *,
    now: datetime,
    subject: str = "",
    user_id: str | None = None,
    actor: str = COMMAND_LINE,
    **details: Any,
) -> None:
    """Write down what was done, in the transaction that does it."""
    session.add(
        AuditEntry(
            id=new_id("au"),
            at=now,
            workspace_id=workspace_id,
            user_id=user_id,
            actor=actor,
            action=action,
            subject=subject,
            details=details,
        )
    )


def _refuse(*_event: Any) -> None:
    raise TypeError("the audit log is only ever added to")


event.listen(AuditEntry, "before_update", _refuse)
event.listen(AuditEntry, "before_delete", _refuse)
