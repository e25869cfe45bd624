"""What happens to datasets, for those who follow after commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opendata.kernel.db import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DATASET_CHANGED = "dataset.changed"


def dataset_changed(dataset_id: str) -> Event:
    """Its metadata, state, files or counts differ: the search document must be made again."""
    return Event(DATASET_CHANGED, {"dataset_id": dataset_id})


def datasets_changed(dataset_ids: Sequence[str]) -> Event:
    """The same of many at once, in one row."""
    return Event(DATASET_CHANGED, {"dataset_ids": list(dataset_ids)})


def changed_ids(payloads: Iterable[Mapping[str, Any]]) -> list[str]:
    """Every dataset that such events name, once, in order."""
    named = (payload.get("dataset_ids") or (payload["dataset_id"],) for payload in payloads)
    return list(dict.fromkeys(dataset_id for ids in named for dataset_id in ids))
