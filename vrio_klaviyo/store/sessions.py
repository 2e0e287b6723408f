"""Sessions: who is signed in where, and the one-time links that let a person in without a password."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.errors import NotFound
from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.ids import new_id
from vrio_klaviyo.store.people import Role, User, roles_of

IDLE = timedelta(hours=12)
KEPT = timedelta(days=30)
LINK_LIVES = timedelta(hours=24)
# A row is not written anew for every page that somebody looks at.
_SEEN_EVERY = timedelta(minutes=1)


class SignedIn(Base):
    """
    One browser in which somebody is signed in.

    Shape:  kept lasts 30 days whatever happens, any other until 12 hours have passed without a request. workspace_id is
            the workspace that it looks at; "" until there is one. agent and address tell a person which browser it is.
    """

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    workspace_id: Mapped[str]
    kept: Mapped[bool]
    agent: Mapped[str]
    address: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]

    def lives(self, now: datetime) -> bool:
        """Whether it still lets anybody in."""
        return now < self.created_at + KEPT and (self.kept or now < self.seen_at + IDLE)


class SignInLink(Base):
    __tablename__ = "sign_in_links"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    expires_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who is signed in; `roles` by workspace id."""

    session: SignedIn
    user: User
    roles: dict[str, Role]


def sign_in(
    session: Session, user: User, now: datetime, *, kept: bool = False, agent: str = "", address: str = ""
) -> str:
    """A new session; its token, which is nowhere kept."""
    _forget_ended(session, user.id, now)
    token = secrets.token_urlsafe(32)
    session.add(
        SignedIn(
            id=new_id("ss"),
            user_id=user.id,
            token_hash=_hash(token),
            workspace_id=min(roles_of(session, user.id), default=""),
            kept=kept,
            agent=agent[:200],
            address=address[:60],
            created_at=now,
            seen_at=now,
        )
    )
    user.seen_at = now
    session.flush()
    return token


def present(session: Session, token: str, now: datetime) -> Present | None:
    """Who the token belongs to; None when it is no session's, or that one has ended."""
    query = select(SignedIn, User).join(User, User.id == SignedIn.user_id)
    found = session.execute(query.where(SignedIn.token_hash == _hash(token), User.disabled_at.is_(None))).first()
    if found is None or not found[0].lives(now):
        return None
    return Present(found[0], found[1], roles_of(session, found[1].id))


def stale(signed_in: SignedIn, now: datetime) -> bool:
    """Whether it is time to write down that this session was used."""
    return now - signed_in.seen_at > _SEEN_EVERY


def touch(session: Session, signed_in: SignedIn, now: datetime) -> None:
    """Write down that this session was used."""
    session.execute(update(SignedIn).where(SignedIn.id == signed_in.id).values(seen_at=now))
    session.execute(update(User).where(User.id == signed_in.user_id).values(seen_at=now))


def switch_workspace(session: Session, session_id: str, workspace_id: str) -> None:
    """Let this session look at another workspace."""
    session.execute(update(SignedIn).where(SignedIn.id == session_id).values(workspace_id=workspace_id))


def sessions_of(session: Session, user_id: str, now: datetime) -> list[SignedIn]:
    """Where the user is signed in, the one used last first."""
    query = select(SignedIn).where(SignedIn.user_id == user_id).order_by(SignedIn.seen_at.desc(), SignedIn.id)
    return [found for found in session.scalars(query) if found.lives(now)]


def find_session(session: Session, user_id: str, session_id: str) -> SignedIn:
    """
    One of the user's sessions.

    Raises: NotFound.
    """
    found = session.get(SignedIn, session_id)
    if found is None or found.user_id != user_id:
        raise NotFound(f"no session has the id {session_id}")
    return found


def sign_out(session: Session, session_id: str) -> None:
    """End one session."""
    session.execute(delete(SignedIn).where(SignedIn.id == session_id))


def sign_out_everywhere(session: Session, user_id: str, *, but: str | None = None) -> int:
    """End all of the user's sessions, but for this one; how many there were."""
    ended = delete(SignedIn).where(SignedIn.user_id == user_id, SignedIn.id != (but or ""))
    return len(session.scalars(ended.returning(SignedIn.id)).all())


def new_link(session: Session, user: User, now: datetime) -> str:
    """The token of a link that lets the user in once, within a day; older links of theirs end."""
    session.execute(delete(SignInLink).where((SignInLink.user_id == user.id) | (SignInLink.expires_at < now)))
    token = secrets.token_urlsafe(32)
    session.add(SignInLink(token_hash=_hash(token), user_id=user.id, expires_at=now + LINK_LIVES))
    session.flush()
    return token


def user_of_link(session: Session, token: str, now: datetime) -> User | None:
    """Whom the link lets in; None when it was used, has expired or never was one."""
    query = select(User).join(SignInLink, SignInLink.user_id == User.id)
    return session.scalar(
        query.where(SignInLink.token_hash == _hash(token), SignInLink.expires_at > now, User.disabled_at.is_(None))
    )


def use_link(session: Session, token: str, now: datetime) -> User | None:
    """Whom the link lets in; from now on it lets nobody in."""
    user = user_of_link(session, token, now)
    used = delete(SignInLink).where(SignInLink.token_hash == _hash(token)).returning(SignInLink.user_id)
    # Of two who come with it in the same instant, the database lets one have it.
    return user if session.scalars(used).first() is not None else None


def forget_links(session: Session, user_id: str) -> None:
    """End the user's links."""
    session.execute(delete(SignInLink).where(SignInLink.user_id == user_id))


def _forget_ended(session: Session, user_id: str, now: datetime) -> None:
    ended = (SignedIn.created_at <= now - KEPT) | (SignedIn.kept.is_(False) & (SignedIn.seen_at <= now - IDLE))
    session.execute(delete(SignedIn).where(SignedIn.user_id == user_id, ended))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
