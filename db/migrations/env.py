"""Alembic's environment: always on the connection that `upgrade` or the developer hands over."""

from alembic import context

from db.models.schema import METADATA

connection = context.config.attributes.get("connection")
if connection is None:  # `alembic revision --autogenerate`, by a developer
    from sqlalchemy import create_engine

    connection = create_engine("sqlite://").connect()

context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
