"""Counts views and downloads of datasets; the figures are for ordering, not for accounts."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from opendata.kernel.waiting_counts import WaitingCounts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class _Use(Enum):
    VIEW = auto()
    DOWNLOAD = auto()


class UsageCounter(WaitingCounts[tuple[_Use, str]]):
    """`save` takes counted views and downloads by dataset id."""

    def __init__(self, save: Callable[[Mapping[str, int], Mapping[str, int]], None]) -> None:
        super().__init__(
            lambda counts: save(_of(_Use.VIEW, counts), _of(_Use.DOWNLOAD, counts)), "use of datasets"
        )

    def view(self, dataset_id: str) -> None:
        self.add((_Use.VIEW, dataset_id))

    def download(self, dataset_id: str) -> None:
        self.add((_Use.DOWNLOAD, dataset_id))


def _of(use: _Use, counts: Mapping[tuple[_Use, str], int]) -> dict[str, int]:
    return {dataset_id: count for (kind, dataset_id), count in counts.items() if kind is use}
