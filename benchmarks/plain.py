"""
The plain design that people write: one RQ job for each webhook, on RQ's default worker, which forks for each job.

Its job posts each request with `requests.post`, without a session, and commits a row for each with the ORM. The mapping
is given to it: the bodies are those that the product made, so that it need not do half of our work.
"""

import os
from datetime import UTC, datetime

import flask
import requests
from rq import Queue
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from sandbox.klaviyo import GOOD_KEY

__all__ = ["Log", "Queue", "flask", "send"]


class Base(DeclarativeBase):
    """The table's ground."""


class Log(Base):
    """One answer."""

    __tablename__ = "plain_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    sent_at: Mapped[datetime]
    body: Mapped[str]
    status: Mapped[int]
    answer: Mapped[str]


def send(bodies: list[tuple[str, dict[str, str], str]]) -> None:
    """The job: path, headers and body of each request that one webhook makes."""
    engine = create_engine(os.environ["PLAIN_DATABASE"])
    with Session(engine) as session:
        for path, headers, body in bodies:
            answer = requests.post(
                os.environ["PLAIN_KLAVIYO"] + path,
                data=body.encode(),
                headers={**headers, "authorization": f"Klaviyo-API-Key {GOOD_KEY}"},
                timeout=10,
            )
            answer.raise_for_status()
            row = Log(sent_at=datetime.now(UTC), body=body, status=answer.status_code, answer=answer.text)
            session.add(row)
            session.commit()
