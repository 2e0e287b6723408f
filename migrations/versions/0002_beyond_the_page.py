"""What merchants build flows on beyond the published page: each switched on by itself."""

import sqlalchemy as sa
from alembic import op

from vrio_klaviyo.store.next_charges import due_of

revision = "0002"
down_revision = "0001"

BATCH = 1000


def upgrade() -> None:
    with op.batch_alter_table("connections") as connections:
        connections.add_column(sa.Column("metrics_on", sa.Text(), nullable=False, server_default="[]"))
        connections.add_column(
            sa.Column("additional_properties", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("sources") as sources:
        sources.add_column(sa.Column("upcoming_days", sa.Integer(), nullable=False, server_default="3"))

    op.create_table(
        "next_charges",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("order_offer_id", sa.Text(), nullable=False),
        sa.Column("vrio_customer_id", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_next_charges_source_id"),
        sa.PrimaryKeyConstraint("source_id", "order_offer_id", name="pk_next_charges"),
    )
    op.create_index("ix_next_charges_due_at", "next_charges", ["source_id", "due_at"])
    _plan_what_is_remembered()


def _plan_what_is_remembered() -> None:
    """The subscriptions that were told of before; a thousand at a time, by the primary key."""
    records = sa.table("records", *map(sa.column, ("source_id", "kind", "vrio_id", "vrio_customer_id", "body")))
    due_at = sa.column("due_at", sa.DateTime(timezone=True))
    charges = sa.table("next_charges", *map(sa.column, ("source_id", "order_offer_id", "vrio_customer_id")), due_at)
    key = sa.tuple_(records.c.source_id, records.c.vrio_id)
    query = sa.select(records).where(records.c.kind == "order_offer").order_by(records.c.source_id, records.c.vrio_id)
    rows = op.get_bind().execute(query.limit(BATCH)).all()
    while rows:
        planned = [
            {
                "source_id": row.source_id,
                "order_offer_id": row.vrio_id,
                "vrio_customer_id": row.vrio_customer_id,
                "due_at": due,
            }
            for row in rows
            if (due := due_of(bytes(row.body)))
        ]
        if planned:
            op.bulk_insert(charges, planned)
        after = key > sa.tuple_(rows[-1].source_id, rows[-1].vrio_id)
        rows = op.get_bind().execute(query.where(after).limit(BATCH)).all()
