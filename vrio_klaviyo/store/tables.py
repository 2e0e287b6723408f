"""Every table, for who must see them all: the migrations and the test that compares them with the models."""

from vrio_klaviyo.store import (
    attempts,
    audit,
    catalog,
    connections,
    customer_words,
    customers,
    deliveries,
    event_ids,
    inbound,
    leases,
    memory,
    next_charges,
    people,
    replays,
    sessions,
    sources,
    tokens,
    workspaces,
)
from vrio_klaviyo.store.db import Base

metadata = Base.metadata

__all__ = [
    "attempts",
    "audit",
    "catalog",
    "connections",
    "customer_words",
    "customers",
    "deliveries",
    "event_ids",
    "inbound",
    "leases",
    "memory",
    "metadata",
    "next_charges",
    "people",
    "replays",
    "sessions",
    "sources",
    "tokens",
    "workspaces",
]
