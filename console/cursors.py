"""Cursors: a place in a long list as text that travels through addresses, and that nobody can make up."""

from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store.paging import Place


class Cursors:
    """Writes and reads cursors; one that somebody altered is refused."""

    def __init__(self, secret_key: str) -> None:
        self._serializer = URLSafeSerializer(secret_key, salt="cursor")

    def place(self, cursor: str | None) -> Place | None:
        """
        The place that a cursor names; None, which is the list's beginning, without one.

        Raises: InvalidInput for a cursor that is not ours.
        """
        if not cursor:
            return None
        try:
            read: Any = self._serializer.loads(cursor)
        except BadSignature as error:
            raise InvalidInput("this place in the list is not known; begin at the newest") from error
        direction, key = read
        return Place(key, backwards=direction == "newer")

    def written(self, place: Place | None) -> str | None:
        """The cursor that names a place of one of `store`'s pages."""
        if place is None:
            return None
        return str(self._serializer.dumps(["newer" if place.backwards else "older", place.key]))
