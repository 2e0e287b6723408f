"""What programs do stands in the audit log under their token's name."""

from typing import Any

from console.api.operations import Call
from vrio_klaviyo.store import audit
from vrio_klaviyo.store.db import Session


def actor(call: Call) -> str:
    """What the log calls who did it."""
    return f"token {call.token.name}"


def note(call: Call, session: Session, action: str, subject: str = "", **details: Any) -> None:
    """Write down what was done, in the transaction that does it."""
    audit.note(
        session,
        call.workspace_id,
        action,
        now=call.site.now(),
        subject=subject,
        user_id=call.token.user_id,
        actor=actor(call),
        **details,
    )
