"""Runs the migrations on the database that `vrio_klaviyo.store.db.upgrade` names."""

from alembic import context
from sqlalchemy import create_engine

from vrio_klaviyo.store import tables

config = context.config

engine = create_engine(config.attributes["url"])
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=tables.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
