"""Campaigns: those that webhooks of a workspace named, so that a person need not know their ids by heart."""

import json
from itertools import product

from sqlalchemy import select
from sqlalchemy.orm import Session

from vrio_klaviyo.store.memory import RecordRow
from vrio_klaviyo.store.sources import Source

# Of each source and kind: a campaign without an order among so many is typed in.
_MOST_LOOKED_AT = 500
_KINDS = ("order", "transaction")


def campaigns_seen(session: Session, workspace_id: str) -> dict[str, str]:
    """The names of campaigns by their ids, "" where no webhook told one; the smallest id first."""
    sources = session.scalars(select(Source.id).where(Source.workspace_id == workspace_id)).all()
    seen: dict[str, str] = {}
    for source_id, kind in product(sources, _KINDS):
        bodies = select(RecordRow.body).where(RecordRow.source_id == source_id, RecordRow.kind == kind)
        for body in session.scalars(bodies.order_by(RecordRow.vrio_id.desc()).limit(_MOST_LOOKED_AT)):
            told = json.loads(body)
            if campaign := told.get("campaign_id"):
                seen[campaign] = seen.get(campaign) or told.get("campaign_name", "")
    return dict(sorted(seen.items(), key=lambda one: (len(one[0]), one[0])))
