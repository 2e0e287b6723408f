"""Looking for customers: one box, and what is typed tells by its shape what it is."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from vrio_klaviyo.store.attempts import Attempt
from vrio_klaviyo.store.customer_words import CustomerWord, WordKind, folded, phone_end
from vrio_klaviyo.store.customers import Customer
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.inbound import InboundEvent
from vrio_klaviyo.store.memory import RecordRow
from vrio_klaviyo.store.paging import Page, Place, page_around, page_of_ids
from vrio_klaviyo.store.sources import Source

# An id or a phone number is that of a few; whoever meets more asks again with more.
_MOST_MATCHES = 200

_OWN_ID = re.compile("(cu|in|dl|at)_[0-9A-Z]{26}", re.ASCII)
_VRIO_ID = re.compile(r"(?:(customer|order|transaction)\s*[:#]?\s*)?#?(\d{1,20})", re.ASCII | re.IGNORECASE)
_PHONE = re.compile(r"\+?[\d\s().\-/]+", re.ASCII)


class QueryKind(StrEnum):
    """What was typed."""

    NOTHING = "nothing"
    OWN_ID = "own id"
    EMAIL = "e-mail"
    NUMBER = "number"
    NAME = "name"


class Query(NamedTuple):
    """What was typed into the box, understood."""

    kind: QueryKind
    text: str


def understood(typed: str) -> Query:
    """
    What somebody looks for.

    Shape:  `@` makes an e-mail, which may be its beginning only; digits are a phone number from seven on, and an id of
            Vrio's customer, order or transaction; one of our own ids is itself; all else is a name's beginning.
    """
    text = " ".join(typed.split())
    if not text:
        return Query(QueryKind.NOTHING, "")
    if _OWN_ID.fullmatch(text):
        return Query(QueryKind.OWN_ID, text)
    if "@" in text:
        return Query(QueryKind.EMAIL, folded(text))
    if _VRIO_ID.fullmatch(text) or (_PHONE.fullmatch(text) and phone_end(text)):
        return Query(QueryKind.NUMBER, text)
    return Query(QueryKind.NAME, folded(text))


def search_customers(
    session: Session, workspace_id: str, typed: str = "", *, place: Place | None = None, limit: int = 50
) -> Page[Customer]:
    """
    The customers that what was typed may mean; all of them when nothing was.

    Shape:  e-mails and names in alphabetical order, all others the newest first.
    """
    query = understood(typed)
    match query.kind:
        case QueryKind.EMAIL | QueryKind.NAME:
            return _page_of_words(session, workspace_id, query, place, limit)
        case QueryKind.NOTHING:
            streams: list[list[ColumnElement[bool]]] = [[Customer.workspace_id == workspace_id]]
        case QueryKind.OWN_ID | QueryKind.NUMBER:
            streams = [[Customer.id.in_(ids_meant(session, workspace_id, query))]]
    page = page_of_ids(session, Customer.id, streams, place, limit)
    return page.of(_customers(session, page.rows))


def ids_meant(session: Session, workspace_id: str, query: Query) -> list[str]:
    """The ids of the customers that are meant, the newest first, up to a limit."""
    match query.kind:
        case QueryKind.OWN_ID:
            wanted = _of_own_id(workspace_id, query.text)
        case QueryKind.NUMBER:
            found = {*_of_vrio_id(session, workspace_id, query.text), *_of_phone(session, workspace_id, query.text)}
            return sorted(found, reverse=True)[:_MOST_MATCHES]
        case QueryKind.NOTHING:
            return []
        case _:
            wanted = select(CustomerWord.customer_id).where(*_begins(workspace_id, query)).distinct()
    return sorted(session.scalars(wanted.limit(_MOST_MATCHES)), reverse=True)


def _of_own_id(workspace_id: str, own_id: str) -> Select[str]:
    own = select(Customer.id).where(Customer.workspace_id == workspace_id)
    match own_id[:2]:
        case "in":
            return own.join(InboundEvent, InboundEvent.customer_id == Customer.id).where(InboundEvent.id == own_id)
        case "dl":
            return own.join(Delivery, Delivery.customer_id == Customer.id).where(Delivery.id == own_id)
        case "at":
            return own.join(Attempt, Attempt.customer_id == Customer.id).where(Attempt.id == own_id)
    return own.where(Customer.id == own_id)


def _of_vrio_id(session: Session, workspace_id: str, text: str) -> Iterable[str]:
    typed = _VRIO_ID.fullmatch(text)
    if typed is None:
        return []
    kinds = [typed[1].lower()] if typed[1] else ["customer", "order", "transaction"]
    sources = list(session.scalars(select(Source.id).where(Source.workspace_id == workspace_id)))
    told = select(RecordRow.source_id, RecordRow.vrio_customer_id).where(
        RecordRow.source_id.in_(sources), RecordRow.kind.in_(kinds), RecordRow.vrio_id == typed[2]
    )
    whose = {(row.source_id, row.vrio_customer_id) for row in session.execute(told) if row.vrio_customer_id}
    if "customer" in kinds:
        whose |= {(source_id, typed[2]) for source_id in sources}
    if not whose:
        return []
    each = (and_(Customer.source_id == source_id, Customer.vrio_id == vrio_id) for source_id, vrio_id in whose)
    return session.scalars(select(Customer.id).where(or_(*each)))


def _of_phone(session: Session, workspace_id: str, text: str) -> Iterable[str]:
    end = phone_end(text) if _PHONE.fullmatch(text) else ""
    if not end:
        return []
    word = select(CustomerWord.customer_id).where(
        CustomerWord.workspace_id == workspace_id, CustomerWord.kind == WordKind.PHONE, CustomerWord.word == end
    )
    return session.scalars(word.limit(_MOST_MATCHES))


def _page_of_words(
    session: Session, workspace_id: str, query: Query, place: Place | None, limit: int
) -> Page[Customer]:
    backwards = place is not None and place.backwards
    found = select(CustomerWord.word, CustomerWord.customer_id).where(*_begins(workspace_id, query))
    if place is not None:
        word, _, customer_id = place.key.rpartition(" ")
        later = or_(
            CustomerWord.word < word if backwards else CustomerWord.word > word,
            and_(
                CustomerWord.word == word,
                CustomerWord.customer_id < customer_id if backwards else CustomerWord.customer_id > customer_id,
            ),
        )
        # The first says the same with less, which an index can begin with.
        found = found.where(CustomerWord.word <= word if backwards else CustomerWord.word >= word, later)
    columns = [CustomerWord.word, CustomerWord.customer_id]
    found = found.order_by(*(column.desc() if backwards else column.asc() for column in columns)).limit(limit + 1)
    keys = [f"{word} {customer_id}" for word, customer_id in session.execute(found)]
    page = page_around(keys, place, limit, key=str)
    # One whose first and last name begin alike stands there twice.
    ids = dict.fromkeys(key.rpartition(" ")[2] for key in page.rows)
    return page.of(_customers(session, list(ids)))


def _begins(workspace_id: str, query: Query) -> list[ColumnElement[bool]]:
    return [
        CustomerWord.workspace_id == workspace_id,
        CustomerWord.kind == (WordKind.EMAIL if query.kind == QueryKind.EMAIL else WordKind.NAME),
        CustomerWord.word >= query.text,
        CustomerWord.word < query.text + "\U0010ffff",
    ]


def _customers(session: Session, ids: list[str]) -> list[Customer]:
    rows = {row.id: row for row in session.scalars(select(Customer).where(Customer.id.in_(ids)))}
    return [rows[customer_id] for customer_id in ids if customer_id in rows]
