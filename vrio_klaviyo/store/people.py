"""People: who signs in, and what they may do in which workspace."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.errors import InvalidInput, NotFound
from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.ids import new_id
from vrio_klaviyo.store.workspaces import Workspace


class Role(StrEnum):
    """What a member may do; each role may do all that the ones before it may."""

    VIEWER = "viewer"
    SUPPORT = "support"
    MANAGER = "manager"
    OPERATOR = "operator"

    def may(self, needed: "Role") -> bool:
        """Whether this role is enough where `needed` is asked for."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class User(Base):
    """
    One person.

    Shape:  email is trimmed and in lower case. password_hash is None until a password is chosen. clock says which zone
            times are shown in: account, mine (that is time_zone) or utc.
    """

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    clock: Mapped[str]
    time_zone: Mapped[str]
    shortcuts: Mapped[bool]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


class Membership(Base):
    __tablename__ = "memberships"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), primary_key=True, index=True)
    role: Mapped[str]


@dataclass(frozen=True, slots=True)
class Member:
    """A user as one workspace knows them."""

    user: User
    role: Role


def email_of(text: str) -> str:
    """
    An e-mail as kept: trimmed, in lower case.

    Raises: InvalidInput when it cannot be one.
    """
    email = text.strip().lower()
    name, _, domain = email.rpartition("@")
    if not (name and domain) or len(email) > 254 or not email.isprintable() or " " in email:
        raise InvalidInput(f"{text.strip() or 'nothing'} is no e-mail address")
    return email


def add_user(session: Session, email: str, name: str = "") -> User:
    """
    The user of that e-mail, made when there is none yet.

    Raises: InvalidInput.
    """
    email = email_of(email)
    known = session.scalar(select(User).where(User.email == email))
    if known is not None:
        return known
    user = User(
        id=new_id("us"),
        email=email,
        name=" ".join(name.split())[:80],
        password_hash=None,
        clock="account",
        time_zone="UTC",
        shortcuts=True,
        created_at=datetime.now(UTC),
        seen_at=None,
        disabled_at=None,
    )
    session.add(user)
    session.flush()
    return user


def find_user(session: Session, email_or_id: str) -> User:
    """
    The user of that e-mail or id.

    Raises: NotFound.
    """
    asked = email_or_id.strip()
    found = session.scalar(select(User).where((User.email == asked.lower()) | (User.id == asked)))
    if found is None:
        raise NotFound(f"no user has the e-mail or id {asked}")
    return found


def known(session: Session, email: str) -> User | None:
    """The user who may sign in under that e-mail."""
    return session.scalar(select(User).where(User.email == email.strip().lower(), User.disabled_at.is_(None)))


def set_role(session: Session, user: User, workspace_id: str, role: Role | None) -> None:
    """
    Give the user this role in the workspace; None takes them out of it.

    Raises: InvalidInput when the workspace would be left without an operator.
    """
    membership = session.get(Membership, (user.id, workspace_id))
    if membership is not None and membership.role == Role.OPERATOR and role is not Role.OPERATOR:
        _another_operator(session, user, workspace_id)
    if role is None:
        if membership is not None:
            session.delete(membership)
    elif membership is None:
        session.add(Membership(user_id=user.id, workspace_id=workspace_id, role=role))
    else:
        membership.role = role
    session.flush()


def disable(session: Session, user: User, now: datetime) -> None:
    """
    Let the user in no more.

    Raises: InvalidInput when a workspace would be left without an operator.
    """
    for workspace_id, role in roles_of(session, user.id).items():
        if role is Role.OPERATOR:
            _another_operator(session, user, workspace_id)
    user.disabled_at = now


def _another_operator(session: Session, user: User, workspace_id: str) -> None:
    others = (
        select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.workspace_id == workspace_id,
            Membership.role == Role.OPERATOR,
            Membership.user_id != user.id,
            User.disabled_at.is_(None),
        )
    )
    if session.scalar(others.limit(1)) is None:
        raise InvalidInput(f"{user.email} is the workspace's last operator: make somebody else one first")


def roles_of(session: Session, user_id: str) -> dict[str, Role]:
    """The user's role in each of their workspaces, by the workspace's id."""
    query = select(Membership.workspace_id, Membership.role).where(Membership.user_id == user_id)
    return {workspace_id: Role(role) for workspace_id, role in session.execute(query)}


def workspaces_of(session: Session, user_id: str) -> list[Workspace]:
    """The user's workspaces, by name."""
    query = select(Workspace).join(Membership, Membership.workspace_id == Workspace.id)
    return list(session.scalars(query.where(Membership.user_id == user_id).order_by(Workspace.name)))


def members(session: Session, workspace_id: str) -> list[Member]:
    """The workspace's people, by e-mail."""
    query = select(User, Membership.role).join(Membership, Membership.user_id == User.id)
    found = session.execute(query.where(Membership.workspace_id == workspace_id).order_by(User.email))
    return [Member(user, Role(role)) for user, role in found]


def find_member(session: Session, workspace_id: str, user_id: str) -> Member:
    """
    One of the workspace's people.

    Raises: NotFound.
    """
    query = select(User, Membership.role).join(Membership, Membership.user_id == User.id)
    found = session.execute(query.where(Membership.workspace_id == workspace_id, User.id == user_id)).first()
    if found is None:
        raise NotFound(f"no user has the id {user_id}")
    return Member(found[0], Role(found[1]))


def list_users(session: Session) -> list[User]:
    """All users of all workspaces, by e-mail."""
    return list(session.scalars(select(User).order_by(User.email)))
