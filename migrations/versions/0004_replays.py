"""Replays: what a person has sent again, what was looked at, and since when the bodies are gone."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # Added one by one and with defaults, which rewrites no table, however long it is.
    op.add_column("deliveries", sa.Column("asked", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("deliveries", sa.Column("same_as", sa.Text(), nullable=True))
    op.add_column("deliveries", sa.Column("backfill", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("deliveries", sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("deliveries", sa.Column("bodies_removed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_deliveries_with_bodies",
        "deliveries",
        ["finished_at"],
        sqlite_where=sa.text("bodies_removed_at IS NULL"),
        postgresql_where=sa.text("bodies_removed_at IS NULL"),
    )
    op.add_column("inbound_events", sa.Column("body_removed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_inbound_events_with_body",
        "inbound_events",
        ["finished_at"],
        sqlite_where=sa.text("body_removed_at IS NULL"),
        postgresql_where=sa.text("body_removed_at IS NULL"),
    )
    op.create_table(
        "replays",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("rebuild", sa.Boolean(), nullable=False),
        sa.Column("despite_pause", sa.Boolean(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("released", sa.Integer(), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_replays_connection_id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_replays_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_replays"),
    )
    op.create_index("ix_replays_workspace_id", "replays", ["workspace_id", "id"])
    op.create_index(
        "uq_replays_running",
        "replays",
        ["connection_id"],
        unique=True,
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_table(
        "replay_items",
        sa.Column("replay_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("left_out", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_replay_items_delivery_id"),
        sa.ForeignKeyConstraint(["replay_id"], ["replays.id"], name="fk_replay_items_replay_id"),
        sa.PrimaryKeyConstraint("replay_id", "place", name="pk_replay_items"),
    )
    op.create_index("ix_replay_items_delivery_id", "replay_items", ["delivery_id"])
