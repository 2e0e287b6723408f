"""
Klaviyo's id of a customer's profile, for the link that opens it there: asked for when somebody looks, and then kept.

Source: requirement 003-61.
"""

import json
from urllib.parse import quote

import requests

from vrio_klaviyo import log
from vrio_klaviyo.errors import Answer, CallFailed, InvalidInput
from vrio_klaviyo.gate import is_email
from vrio_klaviyo.klaviyo.client import KlaviyoClient
from vrio_klaviyo.store.connections import find_connection
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.customers import Customer, keep_profile_id, link_of
from vrio_klaviyo.store.db import Database

# A person waits for the page.
PATIENCE_S = 3.0


def profile_id(
    db: Database, vault: Vault, http: requests.Session, base_url: str, connection_id: str, customer: Customer
) -> str | None:
    """
    Klaviyo's id of this customer's profile; None when Klaviyo has none, or could not be asked now.

    Raises: NotFound when there is no such connection.
    """
    with db.read() as session:
        connection = find_connection(session, connection_id)
        link = link_of(session, connection_id, customer.id)
    if link is not None and link.klaviyo_profile_id:
        return link.klaviyo_profile_id
    if not is_email(customer.email):
        return None
    try:
        key = vault.unseal(connection.key_sealed, connection.workspace_id, connection.id)
        client = KlaviyoClient(base_url.rstrip("/"), key, http, read_timeout_s=PATIENCE_S)
        found = _id_in(client.get(_path(customer.email)))
    except (CallFailed, InvalidInput) as error:
        log.warning("profile.not_asked", connection=connection_id, customer=customer.id, error=type(error).__name__)
        return None
    if found:
        with db.write() as session:
            keep_profile_id(session, connection_id, customer.id, found)
    return found


def profile_url(klaviyo_profile_id: str) -> str:
    """Where a person sees this profile in Klaviyo."""
    return f"https://www.klaviyo.com/profile/{quote(klaviyo_profile_id, safe='')}"


def _path(email: str) -> str:
    # Klaviyo: brackets and quotes in a query must be percent-encoded. `is_email` lets no quote through.
    wanted = quote(f'equals(email,"{email}")', safe="")
    return f"/api/profiles?filter={wanted}&page%5Bsize%5D=1&fields%5Bprofile%5D=email"


def _id_in(answer: Answer) -> str | None:
    """The id of the profile in a JSON:API answer; None when there is none, or it is something else."""
    try:
        found = json.loads(answer.body)["data"][0]["id"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    return found if isinstance(found, str) and found.isascii() and found.isalnum() else None
