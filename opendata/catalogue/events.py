"""What happens to datasets, for those who follow after commit."""

from __future__ import annotations

from opendata.kernel.db import Event

DATASET_CHANGED = "dataset.changed"


def dataset_changed(dataset_id: str) -> Event:
    """Its metadata, state, files or counts differ: the search document must be made again."""
    return Event(DATASET_CHANGED, {"dataset_id": dataset_id})
