"""API tokens: programs that may read and steer one workspace, and the answers kept for their idempotency keys."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.errors import InvalidInput, NotFound
from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.ids import new_id
from vrio_klaviyo.store.upserts import insert
from vrio_klaviyo.store.workspaces import Workspace, name_of

# So that a token that was published by mistake is known for one, by people and by programs that look for such.
PREFIX = "vkt_"
# The time of the last use is for people; written at every call it would cost more than the call.
USED_EVERY = timedelta(minutes=1)

KEPT_FOR = timedelta(hours=24)
# What began so long ago and has no answer was killed, and may begin again.
LONGEST_RUN = timedelta(minutes=2)
LONGEST_KEY = 255


class Scope(StrEnum):
    """What a token may do. Each is given by itself; reading personal data needs both of the first two."""

    READ = "read"
    READ_PII = "read:pii"
    RESEND = "resend"
    MANAGE = "manage"


class ApiToken(Base):
    """
    One token of one workspace.

    Shape:  only its hash is kept, and hint, its last four signs. user_id is who made it, None for a command.
    """

    __tablename__ = "api_tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), index=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    hint: Mapped[str]
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    def may(self, scope: Scope) -> bool:
        """Whether it was given this scope."""
        return scope in self.scopes


class KeptAnswer(Base):
    """
    What was answered to a request with an idempotency key.

    Shape:  request_hash is that of all that makes two requests the same. status is None while the request is being
            worked on.
    """

    __tablename__ = "kept_answers"

    token_id: Mapped[str] = mapped_column(ForeignKey("api_tokens.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    began_at: Mapped[datetime] = mapped_column(index=True)
    status: Mapped[int | None]
    headers: Mapped[dict[str, str] | None]
    body: Mapped[bytes | None]


def add_token(
    session: Session,
    workspace: Workspace,
    name: str,
    scopes: Iterable[str],
    now: datetime,
    *,
    user_id: str | None = None,
) -> tuple[ApiToken, str]:
    """
    A new token, and its text, which is told this once.

    Raises: InvalidInput when the name is empty or too long, or a scope is none.
    """
    wanted = set(scopes)
    if unknown := wanted - set(Scope):
        raise InvalidInput(f"{', '.join(sorted(unknown))} is no scope; there are {', '.join(Scope)}")
    if not wanted:
        raise InvalidInput(f"a token needs a scope; there are {', '.join(Scope)}")
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        id=new_id("tk"),
        workspace_id=workspace.id,
        user_id=user_id,
        name=name_of(name, "token"),
        token_hash=_hash(text),
        hint=text[-4:],
        scopes=[str(scope) for scope in Scope if scope in wanted],
        created_at=now,
        used_at=None,
        revoked_at=None,
    )
    session.add(token)
    return token, text


def token_of_text(session: Session, text: str) -> ApiToken | None:
    """The token that this text is; None when there is none, or when it was revoked."""
    return session.scalar(select(ApiToken).where(ApiToken.token_hash == _hash(text), ApiToken.revoked_at.is_(None)))


def note_use(session: Session, token_id: str, now: datetime) -> None:
    """Write down that a token was used."""
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(used_at=now))


def list_tokens(session: Session, workspace_id: str) -> list[ApiToken]:
    """A workspace's tokens, the newest first; the revoked ones too."""
    own = select(ApiToken).where(ApiToken.workspace_id == workspace_id)
    return list(session.scalars(own.order_by(ApiToken.id.desc())))


def revoke_token(session: Session, token_id: str, now: datetime, workspace_id: str | None = None) -> ApiToken:
    """
    Take a token's rights away, for good.

    Raises: NotFound.
    """
    own = select(ApiToken).where(ApiToken.id == token_id)
    if workspace_id is not None:
        own = own.where(ApiToken.workspace_id == workspace_id)
    token = session.scalar(own)
    if token is None:
        raise NotFound(f"no token has the id {token_id}")
    token.revoked_at = token.revoked_at or now
    return token


@dataclass(frozen=True, slots=True)
class Fresh:
    """This request is the first one with its key: work on it, then keep the answer."""


@dataclass(frozen=True, slots=True)
class Running:
    """The same request is being worked on."""


@dataclass(frozen=True, slots=True)
class Different:
    """Another request had this key."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The same request was answered before, with this."""

    status: int
    headers: dict[str, str]
    body: bytes


def begin_request(
    session: Session, token_id: str, key: str, request_hash: str, now: datetime
) -> Fresh | Running | Different | Answered:
    """Ask whether a request with an idempotency key may begin; if so it has."""
    session.execute(
        delete(KeptAnswer).where(
            KeptAnswer.token_id == token_id,
            (KeptAnswer.began_at <= now - KEPT_FOR)
            | (KeptAnswer.status.is_(None) & (KeptAnswer.began_at <= now - LONGEST_RUN)),
        )
    )
    row = {"token_id": token_id, "key": key, "request_hash": request_hash, "began_at": now}
    statement = insert(session, KeptAnswer).values(row).on_conflict_do_nothing().returning(KeptAnswer.key)
    if session.execute(statement).scalar() is not None:
        return Fresh()
    kept = session.get_one(KeptAnswer, (token_id, key), populate_existing=True)
    if kept.request_hash != request_hash:
        return Different()
    if kept.status is None:
        return Running()
    return Answered(kept.status, kept.headers or {}, kept.body or b"")


def keep_answer(session: Session, token_id: str, key: str, answer: Answered) -> None:
    """Keep what was answered, for whoever asks the same again."""
    news = {"status": answer.status, "headers": answer.headers, "body": answer.body}
    own = update(KeptAnswer).where(KeptAnswer.token_id == token_id, KeptAnswer.key == key)
    session.execute(own.values(news))


def forget_request(session: Session, token_id: str, key: str) -> None:
    """Let the key be used anew: what it began came to nothing."""
    session.execute(delete(KeptAnswer).where(KeptAnswer.token_id == token_id, KeptAnswer.key == key))


def _hash(text: str) -> str:
    """What a token is found by. It is 32 random bytes, so a plain hash tells nothing of it."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
