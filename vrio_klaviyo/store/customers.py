"""Customers: the people that webhooks were about, and what each Klaviyo account knows of them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.errors import NotFound
from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.ids import new_id


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
    """What one Klaviyo connection has taken of one customer so far."""

    __tablename__ = "profile_links"

    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    accepted_as_of: Mapped[datetime | None]
    refused_phone: Mapped[str | None]


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
) -> Customer | None:
    """
    This customer's row, made or brought up to date; None when nothing tells who it is.

    Shape:  found by Vrio's id, else by e-mail. An older picture only fills what is empty; an empty value never wipes a
            known one.
    """
    if not (vrio_id or email):
        return None
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
    elif as_of >= known.as_of:
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
    return known


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
