"""What Klaviyo tells of an account: its time zone, its currency, and whether it is one to test with."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("klaviyo_accounts", sa.Column("time_zone", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("klaviyo_accounts", sa.Column("currency", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("klaviyo_accounts", sa.Column("is_test", sa.Boolean(), nullable=False, server_default=sa.false()))
