"""
A strict stand-in for the Klaviyo endpoints that the product uses, on this computer and over real HTTP.

`create_app` makes it, `python -m sandbox.klaviyo` runs it, `serve_in_thread` runs it inside a test. It imports nothing
of the product's other packages, so it cannot share the client's mistakes.
"""

from sandbox.klaviyo.app import create_app
from sandbox.klaviyo.keys import (
    GOOD_KEY,
    NO_ACCOUNTS_READ_KEY,
    NO_EVENTS_WRITE_KEY,
    OTHER_ACCOUNT_KEY,
    REVOKED_KEY,
    SECOND_KEY,
    Account,
    ApiKey,
)
from sandbox.klaviyo.server import serve_in_thread
from sandbox.klaviyo.settings import Settings

__all__ = [
    "GOOD_KEY",
    "NO_ACCOUNTS_READ_KEY",
    "NO_EVENTS_WRITE_KEY",
    "OTHER_ACCOUNT_KEY",
    "REVOKED_KEY",
    "SECOND_KEY",
    "Account",
    "ApiKey",
    "Settings",
    "create_app",
    "serve_in_thread",
]
