"""Reading lists of what people did: replays and the audit log of one workspace, the newest first."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from vrio_klaviyo.store.audit import AuditEntry
from vrio_klaviyo.store.paging import Page, Place, page_of_ids
from vrio_klaviyo.store.replays import Replay


def page_of_replays(
    session: Session, workspace_id: str, *, place: Place | None = None, limit: int = 50
) -> Page[Replay]:
    """Replays."""
    page = page_of_ids(session, Replay.id, [[Replay.workspace_id == workspace_id]], place, limit)
    rows = select(Replay).where(Replay.id.in_(page.rows)).order_by(Replay.id.desc())
    return page.of(session.scalars(rows))


def page_of_entries(
    session: Session,
    workspace_id: str,
    *,
    action: str | None = None,
    subject: str | None = None,
    actor: str | None = None,
    place: Place | None = None,
    limit: int = 50,
) -> Page[AuditEntry]:
    """Entries of the audit log, all or those of an action, of a subject and of who did them."""
    own = [AuditEntry.workspace_id == workspace_id]
    own += [AuditEntry.action == action] if action else []
    own += [AuditEntry.subject == subject] if subject else []
    own += [AuditEntry.actor == actor] if actor else []
    page = page_of_ids(session, AuditEntry.id, [own], place, limit)
    rows = select(AuditEntry).where(AuditEntry.id.in_(page.rows)).order_by(AuditEntry.id.desc())
    return page.of(session.scalars(rows))
