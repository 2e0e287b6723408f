"""
The accounts and private keys that the sandbox knows from the start.
"""

from dataclasses import dataclass

SCOPES = frozenset(
    {
        "accounts:read",
        "events:read",
        "events:write",
        "lists:read",
        "lists:write",
        "metrics:read",
        "profiles:read",
        "profiles:write",
    }
)


@dataclass(frozen=True)
class Account:
    """
    One Klaviyo account; its id is also its public key and the value of the header `Cid`.
    """

    id: str
    name: str
    currency: str = "USD"
    time_zone: str = "US/Eastern"
    lists: tuple[str, ...] = ("Newsletter", "Text messages", "VIP customers")


@dataclass(frozen=True)
class ApiKey:
    """
    One private key: which account it opens, what it may do there, and whether it has been revoked.
    """

    name: str
    key: str
    account_id: str
    scopes: frozenset[str] = SCOPES
    revoked: bool = False


def _key(word: str) -> str:
    """
    A key of the real shape: `pk_` and 34 lower-case letters and digits, beginning with a word that people recognise.
    """
    return "pk_" + f"sandbox{word}".ljust(34, "0")


GOOD_KEY = _key("good")
SECOND_KEY = _key("second")
REVOKED_KEY = _key("revoked")
NO_EVENTS_WRITE_KEY = _key("noeventswrite")
NO_ACCOUNTS_READ_KEY = _key("noaccountsread")
OTHER_ACCOUNT_KEY = _key("otheraccount")

MAIN_ACCOUNT = Account("SbxA01", "Acme Supplements")
OTHER_ACCOUNT = Account("SbxB02", "Borealis Skincare", currency="CAD", time_zone="America/Toronto")
ACCOUNTS = (MAIN_ACCOUNT, OTHER_ACCOUNT)

KEYS = (
    ApiKey("good", GOOD_KEY, MAIN_ACCOUNT.id),
    ApiKey("second", SECOND_KEY, MAIN_ACCOUNT.id),
    ApiKey("revoked", REVOKED_KEY, MAIN_ACCOUNT.id, revoked=True),
    ApiKey("no_events_write", NO_EVENTS_WRITE_KEY, MAIN_ACCOUNT.id, SCOPES - {"events:write"}),
    ApiKey("no_accounts_read", NO_ACCOUNTS_READ_KEY, MAIN_ACCOUNT.id, SCOPES - {"accounts:read"}),
    ApiKey("other_account", OTHER_ACCOUNT_KEY, OTHER_ACCOUNT.id),
)
