"""Diagnosis: Klaviyo's id of a customer's profile, and figures of a period that are read from indexes alone."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_OF_TESTS = sa.text("substr(unique_id, 1, 5) = 'test_'")
_AGAIN = sa.text("trigger <> 'first'")
_IN_VAIN = sa.text("error IS NOT NULL")


def upgrade() -> None:
    op.add_column("profile_links", sa.Column("klaviyo_profile_id", sa.Text(), nullable=True))
    op.create_index(
        "ix_deliveries_tests",
        "deliveries",
        ["connection_id", "status", "id"],
        sqlite_where=_OF_TESTS,
        postgresql_where=_OF_TESTS,
    )
    op.create_index(
        "ix_webhooks_again",
        "webhooks",
        ["connection_id", "trigger", "id"],
        sqlite_where=_AGAIN,
        postgresql_where=_AGAIN,
    )
    op.create_index(
        "ix_webhooks_in_vain",
        "webhooks",
        ["connection_id", "response_status", "id"],
        sqlite_where=_IN_VAIN,
        postgresql_where=_IN_VAIN,
    )
