"""The first tables: from a webhook as it came to what Klaviyo answered."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from vrio_klaviyo.store.ids import new_id

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "klaviyo_accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("klaviyo_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_klaviyo_accounts"),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "workspaces",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
        sa.UniqueConstraint("name", name="uq_workspaces_name"),
    )
    op.create_table(
        "connections",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_hint", sa.Text(), nullable=False),
        sa.Column("key_status", sa.Text(), nullable=False),
        sa.Column("key_reason", sa.Text(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("push_events", sa.Boolean(), nullable=False),
        sa.Column("campaigns", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("metrics_off", sa.Text(), nullable=False),
        sa.Column("typed", sa.Boolean(), nullable=False),
        sa.Column("one_time_as_placed_order", sa.Boolean(), nullable=False),
        sa.Column("test_orders", sa.Boolean(), nullable=False),
        sa.Column("phone_placement", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["klaviyo_accounts.id"], name="fk_connections_account_id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_connections_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_connections"),
        sa.UniqueConstraint("workspace_id", "name_key", name="uq_connections_workspace_id_name_key"),
    )
    op.create_index("ix_connections_account_id", "connections", ["account_id"])

    op.create_table(
        "sources",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("previous_key_hash", sa.Text(), nullable=True),
        sa.Column("previous_key_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("api_key_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_sources_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sources"),
        sa.UniqueConstraint("key_hash", name="uq_sources_key_hash"),
        sa.UniqueConstraint("workspace_id", "name_key", name="uq_sources_workspace_id_name_key"),
    )
    op.create_table(
        "catalogs",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_catalogs_source_id"),
        sa.PrimaryKeyConstraint("source_id", name="pk_catalogs"),
    )
    op.create_table(
        "customers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("vrio_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("profile_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_customers_source_id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_customers_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_customers"),
    )
    op.create_index("ix_customers_source_id_email", "customers", ["source_id", "email"])
    op.create_index("ix_customers_source_id_vrio_id", "customers", ["source_id", "vrio_id"])
    op.create_index("ix_customers_workspace_id_email", "customers", ["workspace_id", "email"])

    op.create_table(
        "given_event_ids",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_given_event_ids_source_id"),
        sa.PrimaryKeyConstraint("source_id", "thing", name="pk_given_event_ids"),
        sa.UniqueConstraint("source_id", "series", "number", name="uq_given_event_ids_source_id_series_number"),
    )
    op.create_table(
        "records",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("vrio_id", sa.Text(), nullable=False),
        sa.Column("vrio_customer_id", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_records_source_id"),
        sa.PrimaryKeyConstraint("source_id", "kind", "vrio_id", name="pk_records"),
    )
    op.create_index("ix_records_vrio_customer_id", "records", ["source_id", "vrio_customer_id"])

    op.create_table(
        "inbound_events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("dedup_key", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waits_for", sa.Text(), nullable=False),
        sa.Column("wait_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_inbound_events_customer_id"),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_inbound_events_source_id"),
        sa.PrimaryKeyConstraint("id", name="pk_inbound_events"),
        sa.UniqueConstraint("source_id", "dedup_key", name="uq_inbound_events_source_id_dedup_key"),
    )
    op.create_index("ix_inbound_events_customer_id", "inbound_events", ["customer_id"])
    op.create_index("ix_inbound_events_event_id", "inbound_events", ["source_id", "type", "event_id"])
    op.create_index(
        "ix_inbound_events_received",
        "inbound_events",
        ["source_id", "id"],
        sqlite_where=sa.text("status = 'received'"),
        postgresql_where=sa.text("status = 'received'"),
    )
    op.create_index(
        "ix_inbound_events_waiting",
        "inbound_events",
        ["source_id", "waits_for"],
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )

    op.create_table(
        "profile_links",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("accepted_as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_phone", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_profile_links_connection_id"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_profile_links_customer_id"),
        sa.PrimaryKeyConstraint("connection_id", "customer_id", name="pk_profile_links"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("inbound_event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("dedup_key", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_trigger", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_deliveries_connection_id"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_deliveries_customer_id"),
        sa.ForeignKeyConstraint(["inbound_event_id"], ["inbound_events.id"], name="fk_deliveries_inbound_event_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_customer_id", "deliveries", ["customer_id"])
    op.create_index("ix_deliveries_inbound_event_id", "deliveries", ["inbound_event_id"])
    op.create_index(
        "ix_deliveries_owed",
        "deliveries",
        ["connection_id", "next_attempt_at", "id"],
        sqlite_where=sa.text("status IN ('queued', 'retrying')"),
        postgresql_where=sa.text("status IN ('queued', 'retrying')"),
    )
    op.create_index(
        "ix_deliveries_skipped",
        "deliveries",
        ["connection_id", "dedup_key"],
        sqlite_where=sa.text("status = 'skipped'"),
        postgresql_where=sa.text("status = 'skipped'"),
    )
    op.create_index(
        "uq_deliveries_promised",
        "deliveries",
        ["connection_id", "dedup_key"],
        unique=True,
        sqlite_where=sa.text("status <> 'skipped'"),
        postgresql_where=sa.text("status <> 'skipped'"),
    )

    op.create_table(
        "webhooks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("inbound_event_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("request_headers", sa.Text(), nullable=False),
        sa.Column("request_body", sa.LargeBinary(), nullable=False),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("response_headers", sa.Text(), nullable=True),
        sa.Column("response_body", sa.LargeBinary(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("exchange_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_webhooks_connection_id"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_webhooks_customer_id"),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_webhooks_delivery_id"),
        sa.ForeignKeyConstraint(["inbound_event_id"], ["inbound_events.id"], name="fk_webhooks_inbound_event_id"),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_index("ix_webhooks_customer_id", "webhooks", ["customer_id", "id"])
    op.create_index("ix_webhooks_delivery_id", "webhooks", ["delivery_id"])
    op.create_index(
        "ix_webhooks_open",
        "webhooks",
        ["connection_id"],
        sqlite_where=sa.text("duration_ms IS NULL AND error IS NULL"),
        postgresql_where=sa.text("duration_ms IS NULL AND error IS NULL"),
    )

    # Every command works in a workspace; this is the one that is meant when none is named.
    at = sa.column("created_at", sa.DateTime(timezone=True))
    workspaces = sa.table("workspaces", sa.column("id"), sa.column("name"), at)
    op.bulk_insert(workspaces, [{"id": new_id("ws"), "name": "default", "created_at": datetime.now(UTC)}])
