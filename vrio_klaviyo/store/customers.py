"""Customers: the people that webhooks were about, and what each Klaviyo account knows of them."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ForeignKey, Index, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.errors import NotFound
from vrio_klaviyo.store.customer_words import keep_words
from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.ids import new_id
from vrio_klaviyo.store.upserts import insert


class Customer(Base):
    """
    One customer of one source.

    Shape:  vrio_id is "" for a webhook that told only an e-mail. profile_hash is that of the profile last promised.
    """

    __tablename__ = "customers"
    __table_args__ = (
        Index("ix_customers_source_id_vrio_id", "source_id", "vrio_id"),
        Index("ix_customers_source_id_email", "source_id", "email"),
        Index("ix_customers_workspace_id_email", "workspace_id", "email"),
        Index("ix_customers_workspace_id", "workspace_id", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id"))
    vrio_id: Mapped[str]
    email: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    phone: Mapped[str]
    as_of: Mapped[datetime]
    profile_hash: Mapped[str]
    created_at: Mapped[datetime]


class ProfileLink(Base):
    """
    What one Klaviyo connection has taken of one customer so far.

    Shape:  accepted_as_of is of the newest picture that Klaviyo has, or may have: a call without an answer may have
            arrived. accepted_phone is the number that it took last, refused_phone the one that it did not.
            klaviyo_profile_id is None until somebody looked for it, and again when the e-mail changes.
    """

    __tablename__ = "profile_links"

    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    accepted_as_of: Mapped[datetime | None]
    refused_phone: Mapped[str | None]
    accepted_phone: Mapped[str | None]
    klaviyo_profile_id: Mapped[str | None]


def meet_customer(
    session: Session,
    *,
    workspace_id: str,
    source_id: str,
    vrio_id: str,
    email: str,
    first_name: str,
    last_name: str,
    phone: str,
    as_of: datetime,
    known_by_id: dict[str, Customer | None] | None = None,
) -> Customer | None:
    """
    This customer's row, made or brought up to date; None when nothing tells who it is.

    Shape:  found by Vrio's id, else by e-mail. An older picture only fills what is empty; an empty value never wipes a
            known one. `known_by_id` is what `customers_by_id` found, and a new one is added to it.
    """
    if not (vrio_id or email):
        return None
    met = {} if known_by_id is None else known_by_id
    if vrio_id in met:
        known = met[vrio_id]
    else:
        who = Customer.vrio_id == vrio_id if vrio_id else Customer.email == email
        known = session.scalar(select(Customer).where(Customer.source_id == source_id, who).limit(1))
    if known is None:
        known = Customer(
            id=new_id("cu"),
            workspace_id=workspace_id,
            source_id=source_id,
            vrio_id=vrio_id,
            email=email,
            first_name=first_name,
            last_name=last_name,
            phone=phone,
            as_of=as_of,
            profile_hash="",
            created_at=as_of,
        )
        session.add(known)
        session.flush()
        if vrio_id:
            met[vrio_id] = known
        _let_be_found(session, known, new=True)
        return known
    before = _found_by(known)
    if as_of >= known.as_of:
        known.email = email or known.email
        known.first_name = first_name or known.first_name
        known.last_name = last_name or known.last_name
        known.phone = phone or known.phone
        known.as_of = as_of
    else:
        known.email = known.email or email
        known.first_name = known.first_name or first_name
        known.last_name = known.last_name or last_name
        known.phone = known.phone or phone
    if _found_by(known) != before:
        _let_be_found(session, known)
    if known.email != before["email"]:
        # Klaviyo: another address is another profile.
        links = update(ProfileLink).where(ProfileLink.customer_id == known.id)
        session.execute(links.values(klaviyo_profile_id=None))
    return known


def _found_by(customer: Customer) -> dict[str, str]:
    return {name: getattr(customer, name) for name in ("email", "first_name", "last_name", "phone")}


def _let_be_found(session: Session, customer: Customer, *, new: bool = False) -> None:
    keep_words(session, customer.workspace_id, customer.id, **_found_by(customer), known=not new)


def customers_by_id(session: Session, source_id: str, vrio_ids: Iterable[str]) -> dict[str, Customer | None]:
    """The customers of one source by Vrio's ids; None where nobody has told of one."""
    met: dict[str, Customer | None] = dict.fromkeys(vrio_id for vrio_id in vrio_ids if vrio_id)
    found = session.scalars(select(Customer).where(Customer.source_id == source_id, Customer.vrio_id.in_(list(met))))
    return met | {customer.vrio_id: customer for customer in found}


def find_customers(session: Session, email_or_id: str) -> list[Customer]:
    """
    The rows of one person, the one heard of last first: several when several sources know the e-mail.

    Raises: NotFound.
    """
    asked = email_or_id.strip()
    query = select(Customer).where(
        or_(Customer.id == asked, Customer.email == asked.lower(), Customer.vrio_id == asked)
    )
    found = list(session.scalars(query.order_by(Customer.as_of.desc(), Customer.id).limit(50)))
    if not found:
        raise NotFound(f"no customer has the e-mail or id {asked}")
    return found


def customers_called(session: Session, workspace_id: str, email_or_id: str) -> list[Customer]:
    """The rows of one person in a workspace, the one heard of last first; none when nobody has told of them."""
    asked = email_or_id.strip()
    query = select(Customer).where(Customer.workspace_id == workspace_id)
    query = query.where(Customer.email == asked.lower() if "@" in asked else Customer.id == asked)
    return list(session.scalars(query.order_by(Customer.as_of.desc(), Customer.id).limit(50)))


def link_of(session: Session, connection_id: str, customer_id: str | None) -> ProfileLink | None:
    """What a connection has taken of a customer so far; None when that is nothing."""
    return None if customer_id is None else session.get(ProfileLink, (connection_id, customer_id))


def keep_profile_id(session: Session, connection_id: str, customer_id: str, klaviyo_profile_id: str) -> None:
    """Write down which profile of Klaviyo's this customer is."""
    key = {"connection_id": connection_id, "customer_id": customer_id}
    news = {"klaviyo_profile_id": klaviyo_profile_id}
    statement = insert(session, ProfileLink).values(key | news)
    session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=news))
