"""What readers leave behind: requests for data, searches that found nothing, saved searches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "data_requests",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("need", sa.Text(), nullable=False),
        sa.Column("query", sa.String(length=200), nullable=False),
        sa.Column("contact", sa.String(length=254), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("settled_by", sa.String(length=200), nullable=True),
        sa.Column("dataset_id", sa.String(length=26), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name="fk_data_requests_dataset_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_data_requests"),
    )
    op.create_index("ix_data_requests_state_created", "data_requests", ["state", "created_at"])
    op.create_index("ix_data_requests_dataset_id", "data_requests", ["dataset_id"])
    op.create_table(
        "search_demand",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("text", sa.String(length=80), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "text", name="pk_search_demand"),
    )
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name="fk_saved_searches_person_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_saved_searches"),
    )
    op.create_index("ix_saved_searches_person_id", "saved_searches", ["person_id"])


def downgrade() -> None:
    op.drop_index("ix_saved_searches_person_id", "saved_searches")
    op.drop_table("saved_searches")
    op.drop_table("search_demand")
    op.drop_index("ix_data_requests_dataset_id", "data_requests")
    op.drop_index("ix_data_requests_state_created", "data_requests")
    op.drop_table("data_requests")
