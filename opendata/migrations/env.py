"""Run by Alembic for each command, on the connection that `migrate` (or the developer's shell) gave it."""

from __future__ import annotations

from alembic import context

from opendata.migrations import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite cannot alter columns in place
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
