"""What happens to uploaded files, for those who follow after commit."""

from __future__ import annotations

from opendata.kernel.db import Event

RESOURCE_RECEIVED = "resource.received"


def resource_received(version_id: str) -> Event:
    """The bytes of a version are stored and wait to be identified, validated, converted and published."""
    return Event(RESOURCE_RECEIVED, {"version_id": version_id})
