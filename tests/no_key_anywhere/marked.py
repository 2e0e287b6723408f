"""The marked secrets, and the search for them."""

from collections import defaultdict

from cryptography.fernet import Fernet


def key(word: str) -> str:
    """A private key of the real shape that the sandbox does not know by itself."""
    return f"pk_marked{word}".ljust(37, "7")


GOOD, NEXT, UNKNOWN, MISPLACED = key("good"), key("next"), key("unknown"), "MaRkEd"
SECRETS = {
    "the private key": GOOD,
    "the private key after it": NEXT,
    "a key that Klaviyo does not know": UNKNOWN,
    "half a key": "pk_markedhalf",
    "SECRET_KEY": "marked-secret-key-of-this-installation",
    "the encryption key": Fernet.generate_key().decode(),
    "Vrio's REST key": "marked-rest-key-of-vrio",
    "the password": "a marked pass phrase",
    "a wrong password": "a marked phrase in vain",
    "a card number": "4242424242424242",
    "another card number": "5555555555554444",
    "a third card number": "4111 1111 1111 1111",
}
# These are made by the product, and shown to those who may hand them on.
WEBHOOK_KEY, LATER_KEY, TOKEN, LINK = "the webhook key", "the webhook key after it", "an API token", "a one-time link"
# The address that Vrio posts to holds the source's key: managers, who hand it on, see it, and whoever runs commands.
SHOW_THE_ADDRESS = {"flask source add", "flask source rotate", "flask source show", "GET /sources/<source_id>"}


class Searched:
    """Everything that was written or shown, by where that was."""

    def __init__(self) -> None:
        self._seen: dict[str, list[bytes]] = defaultdict(list)

    def add(self, where: str, what: bytes | str) -> None:
        """Something that stood there."""
        self._seen[where].append(what if isinstance(what, bytes) else what.encode(errors="surrogateescape"))

    def places_of(self, secret: str) -> set[str]:
        """Where it stands."""
        return {where for where, all_of_it in self._seen.items() if any(secret.encode() in one for one in all_of_it)}

    def __len__(self) -> int:
        return len(self._seen)
