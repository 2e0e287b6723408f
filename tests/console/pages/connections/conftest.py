"""What people type for a connection, and the one that is made of it; the sandbox is asked about its key."""

from dataclasses import replace

import pytest

from sandbox.klaviyo import GOOD_KEY
from vrio_klaviyo.store.connections import list_connections

HOSTILE = "<script>alert(1)</script>\"'‮ x"
FORM = {"name": "Klaviyo Production", "key": GOOD_KEY, "push_events": "on", "which": "all", "start": "active"}


@pytest.fixture
def settings(settings, klaviyo):
    """Klaviyo is the sandbox."""
    return replace(settings, klaviyo_api_url=klaviyo.url)


def the_one(house):
    """The one connection that there is."""
    with house.db.read() as session:
        (found,) = list_connections(session)
    return found
