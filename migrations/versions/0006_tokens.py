"""Programs: API tokens, and the answers kept for their idempotency keys; lists that answer alike at any size."""

import sqlalchemy as sa
from alembic import op

from vrio_klaviyo.store.customer_words import words_of

revision = "0006"
down_revision = "0005"

CAUSED = sa.text("status IN ('held', 'failed', 'skipped')")


def upgrade() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_api_tokens_user_id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_api_tokens_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_api_tokens_token_hash"),
    )
    op.create_index("ix_api_tokens_workspace_id", "api_tokens", ["workspace_id"])
    op.create_table(
        "kept_answers",
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["token_id"], ["api_tokens.id"], name="fk_kept_answers_token_id"),
        sa.PrimaryKeyConstraint("token_id", "key", name="pk_kept_answers"),
    )
    op.create_index("ix_kept_answers_began_at", "kept_answers", ["began_at"])

    op.add_column("connections", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
    _let_lists_be_read()
    _let_customers_be_found()


def _let_lists_be_read() -> None:
    # SQLite adds a computed column only when it is not stored; PostgreSQL indexes one only when it is.
    stored = op.get_bind().dialect.name == "postgresql"
    cause = sa.Column("cause", sa.Text(), sa.Computed("substr(reason, 1, 200)", persisted=stored), nullable=False)
    op.add_column("deliveries", cause)
    op.drop_index("ix_deliveries_customer_id", "deliveries")
    op.create_index("ix_deliveries_customer_id", "deliveries", ["customer_id", "status", "id"])
    op.create_index("ix_deliveries_status", "deliveries", ["connection_id", "status", "id"])
    op.create_index("ix_deliveries_metric", "deliveries", ["connection_id", "metric", "status", "id"])
    op.create_index(
        "ix_deliveries_cause",
        "deliveries",
        ["connection_id", "status", "cause", "id"],
        sqlite_where=CAUSED,
        postgresql_where=CAUSED,
    )
    op.drop_index("ix_inbound_events_customer_id", "inbound_events")
    op.create_index("ix_inbound_events_customer_id", "inbound_events", ["customer_id", "id"])
    op.create_index("ix_inbound_events_status", "inbound_events", ["source_id", "status", "id"])
    op.create_index("ix_inbound_events_event", "inbound_events", ["source_id", "event", "status", "id"])
    op.create_index("ix_customers_workspace_id", "customers", ["workspace_id", "id"])


def _let_customers_be_found() -> None:
    by_bytes = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    words = op.create_table(
        "customer_words",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("word", by_bytes, nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_customer_words_customer_id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_customer_words_workspace_id"),
        sa.PrimaryKeyConstraint("workspace_id", "kind", "word", "customer_id", name="pk_customer_words"),
    )
    op.create_index("ix_customer_words_customer_id", "customer_words", ["customer_id"])
    names = ("email", "first_name", "last_name", "phone")
    customers = sa.table("customers", sa.column("id"), sa.column("workspace_id"), *map(sa.column, names))
    last, bind = "", op.get_bind()
    # A thousand at a time: a merchant may have a million.
    while known := bind.execute(
        sa.select(customers).where(customers.c.id > last).order_by(customers.c.id).limit(1000)
    ).all():
        rows = [
            {"workspace_id": row.workspace_id, "kind": str(kind), "word": word, "customer_id": row.id}
            for row in known
            for kind, word in sorted(words_of(**{name: getattr(row, name) for name in names}))
        ]
        if rows:
            op.bulk_insert(words, rows)
        last = known[-1].id
