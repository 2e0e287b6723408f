"""All that is kept sealed, to look at and to seal anew when the keys change."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.crypto import Vault
from vrio_klaviyo.store.sources import Source

_COLUMNS: tuple[tuple[type[Connection] | type[Source], str, str], ...] = (
    (Connection, "key_sealed", "Klaviyo key"),
    (Source, "key_sealed", "webhook key"),
    (Source, "api_key_sealed", "Vrio REST key"),
)


@dataclass(frozen=True, slots=True)
class Seal:
    """
    One kept secret, without the secret.

    Shape:  opens tells whether any of the keys does, newest whether the first one does.
    """

    owner: str
    name: str
    what: str
    opens: bool
    newest: bool


def seals(session: Session, vault: Vault) -> list[Seal]:
    """Every secret that is kept."""
    return [_looked_at(row, column, what, vault) for row, column, what in _kept(session)]


def seal_anew(session: Session, vault: Vault) -> list[Seal]:
    """Seal with the first key whatever another one sealed; what was changed. What no key opens stays as it is."""
    changed = []
    for row, column, what in _kept(session):
        seal = _looked_at(row, column, what, vault)
        if seal.opens and not seal.newest:
            secret = vault.unseal(getattr(row, column), row.workspace_id, row.id)
            setattr(row, column, vault.seal(secret, row.workspace_id, row.id))
            changed.append(seal)
    return changed


def _kept(session: Session) -> Iterator[tuple[Connection | Source, str, str]]:
    for model, column, what in _COLUMNS:
        rows: list[Connection | Source] = list(session.scalars(select(model).order_by(model.id)))
        for row in rows:
            if getattr(row, column) is not None:
                yield row, column, what


def _looked_at(row: Connection | Source, column: str, what: str, vault: Vault) -> Seal:
    sealed = getattr(row, column)
    try:
        vault.unseal(sealed, row.workspace_id, row.id)
    except InvalidInput:
        return Seal(row.id, row.name, what, opens=False, newest=False)
    return Seal(row.id, row.name, what, opens=True, newest=vault.is_newest(sealed))
