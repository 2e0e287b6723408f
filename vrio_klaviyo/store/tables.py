"""Every table, for who must see them all: the migrations and the test that compares them with the models."""

from vrio_klaviyo.store import (
    attempts,
    catalog,
    connections,
    customers,
    deliveries,
    event_ids,
    inbound,
    leases,
    memory,
    sources,
    workspaces,
)
from vrio_klaviyo.store.db import Base

metadata = Base.metadata

__all__ = [
    "attempts",
    "catalog",
    "connections",
    "customers",
    "deliveries",
    "event_ids",
    "inbound",
    "leases",
    "memory",
    "metadata",
    "sources",
    "workspaces",
]
