"""The audit trail: one row a change, in the same unit of work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opendata.accounts.models import AuditRow
from opendata.kernel.ids import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opendata.accounts.policy import Actor
    from opendata.kernel.db import UnitOfWork


def record(
    unit: UnitOfWork,
    actor: Actor,
    action: str,
    subject: tuple[str, str],
    details: Mapping[str, Any] | None = None,
) -> None:
    """Witness a change. `subject` is (type, id), for example ("dataset", "01h…"); details hold no secrets."""
    subject_type, subject_id = subject
    unit.session.add(
        AuditRow(
            at=utc_now(),
            actor_id=actor.person_id,
            actor_name=actor.name,
            via=actor.via,
            action=action,
            subject_type=subject_type,
            subject_id=subject_id,
            details=dict(details or {}),
        )
    )
    unit.witness()
