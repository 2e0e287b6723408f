"""Secrets at rest: encrypted, and bound to the row that they belong to."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from vrio_klaviyo.errors import InvalidInput


class Vault:
    """
    Encrypts with the first key, opens with any.

    Raises: InvalidInput for a key that is no Fernet key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
            self._newest = MultiFernet([Fernet(key) for key in keys[:1]])
        except ValueError as error:
            raise InvalidInput("an encryption key is no Fernet key (32 bytes in URL-safe base 64)") from error

    def seal(self, secret: str, workspace_id: str, owner_id: str) -> bytes:
        """The secret encrypted, together with whose it is."""
        return self._fernet.encrypt(f"{workspace_id}\n{owner_id}\n{secret}".encode())

    def unseal(self, sealed: bytes, workspace_id: str, owner_id: str) -> str:
        """
        The secret.

        Raises: InvalidInput when no key opens it, or when it was sealed for another row.
        """
        try:
            workspace, owner, secret = self._fernet.decrypt(sealed).decode().split("\n", 2)
        except InvalidToken as error:
            raise InvalidInput(f"no key of ENCRYPTION_KEYS opens the secret of {owner_id}") from error
        if (workspace, owner) != (workspace_id, owner_id):
            raise InvalidInput(f"the secret kept on {owner_id} belongs to another row")
        return secret

    def is_newest(self, sealed: bytes) -> bool:
        """Whether the first key opens it, so that the others are not needed for it."""
        try:
            self._newest.decrypt(sealed)
        except InvalidToken:
            return False
        return True


def new_key() -> str:
    """A new key for ENCRYPTION_KEYS."""
    return Fernet.generate_key().decode()
