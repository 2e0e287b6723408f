"""
Bodies hold people's data: who may see them asks to for each request, and that is written down.

What was shown stays shown for as long as the visitor is signed in, in the cookie that also holds the forms' token.
"""

from flask import session as form_session

from console.pages import guard
from vrio_klaviyo.store.db import Session

# A cookie has room for 4 KB.
_MOST = 40


def is_revealed(thing_id: str) -> bool:
    """Whether this visitor asked to see the bodies of this request or webhook."""
    by = guard.visitor()
    return by.may("support") and thing_id in _revealed(by.session_id)


def reveal(session: Session, thing_id: str) -> None:
    """Show them from now on, and write down who asked; within the caller's transaction."""
    by = guard.visitor()
    noun = {"dl": "delivery", "in": "webhook"}[thing_id[:2]]
    guard.note(session, f"{noun}.revealed", thing_id)
    others = [one for one in _revealed(by.session_id) if one != thing_id]
    form_session["revealed"] = {"by": by.session_id, "ids": [*others, thing_id][-_MOST:]}


def _revealed(session_id: str) -> list[str]:
    kept = form_session.get("revealed") or {}
    ids: list[str] = kept.get("ids", []) if kept.get("by") == session_id else []
    return ids
