"""The words by which a customer is found: kept folded, each in one index that begins with the workspace."""

import re
import unicodedata
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ForeignKey, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from vrio_klaviyo.store.columns import ByteOrderedText
from vrio_klaviyo.store.db import Base
from vrio_klaviyo.store.upserts import dialect_of, insert

# As many digits at a number's end are the same however it is written: with the country's code, or with a zero.
PHONE_DIGITS = 7
# Somebody's name may be a whole page, and an index takes no page.
_LONGEST = 100


class WordKind(StrEnum):
    """What of a customer a word is."""

    EMAIL = "email"
    NAME = "name"
    PHONE = "phone"


class CustomerWord(Base):
    """
    One word that finds a customer.

    Shape:  a name is kept from its beginning and from its last word on, so that either finds it; of a phone number the
            last seven digits are kept.
    """

    __tablename__ = "customer_words"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(ByteOrderedText, primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), primary_key=True, index=True)


def words_of(*, email: str, first_name: str, last_name: str, phone: str) -> set[tuple[WordKind, str]]:
    """The words, by kind, of a customer with these data."""
    first, last = folded(first_name), folded(last_name)
    words = {(WordKind.EMAIL, folded(email))}
    words |= {(WordKind.NAME, f"{first} {last}".strip()), (WordKind.NAME, f"{last} {first}".strip())}
    words |= {(WordKind.PHONE, phone_end(phone))}
    return {(kind, word[:_LONGEST]) for kind, word in words if word}


def keep_words(
    session: Session,
    workspace_id: str,
    customer_id: str,
    *,
    email: str,
    first_name: str,
    last_name: str,
    phone: str,
    known: bool = True,
) -> None:
    """Let a customer be found by these data, and by no others; `known` when there may be others."""
    if known:
        session.execute(delete(CustomerWord).where(CustomerWord.customer_id == customer_id))
    words = words_of(email=email, first_name=first_name, last_name=last_name, phone=phone)
    if words:
        own = {"workspace_id": workspace_id, "customer_id": customer_id}
        rows = [own | {"kind": str(kind), "word": word} for kind, word in sorted(words)]
        session.connection().execute(_keeping(dialect_of(session)), rows)


@cache
def _keeping(dialect: str) -> Any:
    """The statement of `keep_words`, made once: building it takes longer than doing it."""
    return insert(dialect, CustomerWord).on_conflict_do_nothing()


def folded(text: str) -> str:
    """Text as it is looked for: without accents, capitals and double spaces."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(sign for sign in apart if not unicodedata.combining(sign)).split())


def phone_end(text: str) -> str:
    """The last digits of a phone number; "" when it has too few to be one."""
    digits = re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", text))
    return digits[-PHONE_DIGITS:] if len(digits) >= PHONE_DIGITS else ""
