"""`/metrics/summary` and `/audit`: how it goes, and who did what."""

from datetime import timedelta

from console.api.filters import AuditQuery, SummaryQuery
from console.api.operations import Call, Operations
from console.api.schemas import AuditAnswer, SummaryAnswer
from vrio_klaviyo.measuring import Measures, measure
from vrio_klaviyo.store.audit import AuditEntry
from vrio_klaviyo.store.connections import list_connections
from vrio_klaviyo.store.journals import page_of_entries
from vrio_klaviyo.store.paging import Page
from vrio_klaviyo.store.tokens import Scope

operations = Operations("figures")


@operations.get("/metrics/summary", SummaryAnswer, query=SummaryQuery)
def show_summary(call: Call) -> Measures:
    """How many webhooks came, what became of the deliveries, and how long it took until Klaviyo had them."""
    now, asked = call.site.now(), call.asked.get("connection")
    since = call.asked.get("since") or now - timedelta(days=1)
    with call.site.db.read() as session:
        own = [each.id for each in list_connections(session, call.workspace_id) if not asked or each.id in asked]
        return measure(session, call.workspace_id, own, since, now)


@operations.list("/audit", AuditAnswer, AuditQuery, scope=Scope.MANAGE)
def list_audit(call: Call) -> Page[AuditEntry]:
    """Who did what, the newest first."""
    asked = call.asked
    with call.site.db.read() as session:
        return page_of_entries(
            session,
            call.workspace_id,
            action=asked.get("action"),
            subject=asked.get("subject"),
            place=asked["place"],
            limit=asked["limit"],
        )
