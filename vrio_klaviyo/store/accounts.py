"""Klaviyo accounts: which one is behind a connection, and how much of its limits is used up."""

from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from vrio_klaviyo.store.connections import Connection, KlaviyoAccount


def list_accounts(session: Session) -> list[KlaviyoAccount]:
    """All Klaviyo accounts, oldest first."""
    return list(session.scalars(select(KlaviyoAccount).order_by(KlaviyoAccount.id)))


def account_of(session: Session, connection: Connection) -> KlaviyoAccount:
    """The Klaviyo account behind a connection."""
    return session.get_one(KlaviyoAccount, connection.account_id)


def connections_of_account(session: Session, account_id: str) -> list[Connection]:
    """The connections whose requests go through this lane."""
    return list(session.scalars(select(Connection).where(Connection.account_id == account_id)))


def cap_rate(session: Session, connection: Connection, per_minute: int | None) -> None:
    """
    Send at most so many requests a minute to each endpoint of the connection's account; None is what Klaviyo takes.

    Shape:  it holds for the account, and so for every connection to it.
    """
    account_of(session, connection).rate_per_minute = per_minute


def keep_pace(session: Session, account_id: str, pacing: dict[str, Any], failures: int) -> None:
    """Write what is used up of the limits, and how many calls failed one after another."""
    table = KlaviyoAccount.__table__
    kept = update(table).where(table.c.id == account_id)  # type: ignore[arg-type]
    session.connection().execute(kept.values(pacing=pacing, failures=failures))


def describe_account(
    session: Session,
    account_id: str,
    *,
    klaviyo_id: str | None,
    name: str,
    time_zone: str,
    currency: str,
    is_test: bool | None,
) -> None:
    """Write which Klaviyo account is behind a key, as far as Klaviyo told: what is None or "" stays as it was."""
    told = {"klaviyo_id": klaviyo_id, "name": name, "time_zone": time_zone, "currency": currency, "is_test": is_test}
    news = {name: value for name, value in told.items() if value not in (None, "")}
    if news:
        session.execute(update(KlaviyoAccount).where(KlaviyoAccount.id == account_id).values(news))


def name_provisional(session: Session, account_id: str, klaviyo_id: str) -> bool:
    """Write which Klaviyo account this is, if nobody knew; whether another one was known as that before."""
    provisional = KlaviyoAccount.id == account_id, KlaviyoAccount.klaviyo_id.is_(None)
    session.execute(update(KlaviyoAccount).where(*provisional).values(klaviyo_id=klaviyo_id))
    oldest_id = _oldest_of(session, klaviyo_id)
    return oldest_id is not None and oldest_id < account_id


def merge_account(session: Session, account_id: str) -> str | None:
    """
    Move all connections of this account to the oldest one that stands for the same Klaviyo account, and drop this one;
    that one's id, or None when this is the oldest.

    To be called by who holds this account's lane and has nothing under way. The other one may be at work: it gains what
    is owed, and loses nothing. The younger always goes to the older, so that two never swap places.
    """
    account = session.get(KlaviyoAccount, account_id)
    if account is None or account.klaviyo_id is None:
        return None
    oldest_id = _oldest_of(session, account.klaviyo_id)
    if oldest_id is None or oldest_id >= account_id:
        return None
    oldest = session.get_one(KlaviyoAccount, oldest_id, with_for_update=True)
    caps = [cap for cap in (oldest.rate_per_minute, account.rate_per_minute) if cap is not None]
    oldest.rate_per_minute = min(caps, default=None)
    for told in ("name", "time_zone", "currency", "is_test"):
        setattr(oldest, told, getattr(oldest, told) or getattr(account, told))
    session.flush()
    session.execute(update(Connection).where(Connection.account_id == account_id).values(account_id=oldest_id))
    session.execute(delete(KlaviyoAccount).where(KlaviyoAccount.id == account_id))
    return oldest_id


def _oldest_of(session: Session, klaviyo_id: str) -> str | None:
    return session.scalar(select(func.min(KlaviyoAccount.id)).where(KlaviyoAccount.klaviyo_id == klaviyo_id))
