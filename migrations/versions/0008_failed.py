"""The Failed inbox: what nobody has looked at yet, and what somebody has, are each read from an index of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_OPEN = sa.text("status = 'failed' AND looked_at IS NULL")
_LOOKED_AT = sa.text("looked_at IS NOT NULL")


def upgrade() -> None:
    for name, columns, rows in (
        ("ix_deliveries_open", ["connection_id", "status", "id"], _OPEN),
        ("ix_deliveries_open_causes", ["connection_id", "status", "cause", "id"], _OPEN),
        ("ix_deliveries_looked_at", ["connection_id", "status", "cause", "id"], _LOOKED_AT),
    ):
        op.create_index(name, "deliveries", columns, sqlite_where=rows, postgresql_where=rows)
