"""Lanes in full: what Klaviyo's limits have left, the circuit, the order within a lane, and who died of what."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_OWED = sa.text("status IN ('queued', 'retrying')")


def upgrade() -> None:
    op.add_column("klaviyo_accounts", sa.Column("pacing", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("klaviyo_accounts", sa.Column("rate_per_minute", sa.Integer(), nullable=True))
    op.add_column("klaviyo_accounts", sa.Column("failures", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("profile_links", sa.Column("accepted_phone", sa.Text(), nullable=True))
    op.add_column("deliveries", sa.Column("lane_order", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("deliveries", sa.Column("deaths", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.drop_index("ix_deliveries_owed", "deliveries")
    op.create_index(
        "ix_deliveries_owed",
        "deliveries",
        # The first three find what is due; the others are there so that turns are found without reading the rows.
        ["connection_id", "lane_order", "next_attempt_at", "id", "customer_id", "status"],
        sqlite_where=_OWED,
        postgresql_where=_OWED,
    )
