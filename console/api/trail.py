"""What programs do stands in the audit log under their token's name."""

from typing import Any

from console.api.operations import Call
from console.hand import Hand
from vrio_klaviyo.store.db import Session


def hand(call: Call) -> Hand:
    """What the program steers with."""
    return Hand(call.site, actor=f"token {call.token.name}", user_id=call.token.user_id)


def note(call: Call, session: Session, action: str, subject: str = "", /, **details: Any) -> None:
    """Write down what was done, in the transaction that does it."""
    hand(call).note(session, call.workspace_id, action, subject, **details)
