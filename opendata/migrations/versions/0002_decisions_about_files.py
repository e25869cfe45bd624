"""What a publisher decides about a file: corrections, rows set aside, personal data; and what changed in it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The types as they were at this step, whatever the models become later.
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_DIGESTS = ("quarantine_sha256", "differences_sha256")


def upgrade() -> None:
    op.add_column("resources", sa.Column("corrections", JSON, nullable=True))
    op.add_column("resource_versions", sa.Column("corrections", JSON, nullable=True))
    op.add_column(
        "resource_versions",
        sa.Column("faulty_rows", sa.String(length=12), nullable=False, server_default="refuse"),
    )
    op.add_column("resource_versions", sa.Column("findings", JSON, nullable=True))
    op.add_column("resource_versions", sa.Column("decided_by", sa.String(length=200), nullable=True))
    op.add_column("tables", sa.Column("quarantine_sha256", sa.String(length=64), nullable=True))
    op.add_column("tables", sa.Column("quarantine_size", BIG, nullable=True))
    op.add_column("tables", sa.Column("quarantine_rows", BIG, nullable=True))
    op.add_column("tables", sa.Column("differences", JSON, nullable=True))
    op.add_column("tables", sa.Column("differences_sha256", sa.String(length=64), nullable=True))
    op.add_column("tables", sa.Column("differences_size", BIG, nullable=True))
    for name in _DIGESTS:
        op.create_index(f"ix_tables_{name}", "tables", [name])


def downgrade() -> None:
    for name in _DIGESTS:
        op.drop_index(f"ix_tables_{name}", "tables")
    for name in (
        "quarantine_sha256",
        "quarantine_size",
        "quarantine_rows",
        "differences",
        "differences_sha256",
        "differences_size",
    ):
        op.drop_column("tables", name)
    for name in ("corrections", "faulty_rows", "findings", "decided_by"):
        op.drop_column("resource_versions", name)
    op.drop_column("resources", "corrections")
