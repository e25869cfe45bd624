"""Is a dataset as fresh as its publisher promised? Read by pages and API; the expected days are data."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

# An office publishes some days after a period ends; a promise is broken only after that.
GRACE_SHARE = 0.5
GRACE_LEAST = dt.timedelta(days=1)


class Freshness(StrEnum):
    IN_TIME = "in-time"
    LATE = "late"


def freshness(expected_days: int | None, modified_at: dt.datetime, now: dt.datetime) -> Freshness | None:
    """None where the frequency promises nothing (once, as needed, unknown)."""
    if expected_days is None:
        return None
    expected = dt.timedelta(days=expected_days)
    due = modified_at + expected + max(expected * GRACE_SHARE, GRACE_LEAST)
    return Freshness.LATE if now > due else Freshness.IN_TIME
