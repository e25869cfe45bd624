"""The row orders of recent queries, kept in memory within a budget; used by `engine`.

The result of a query over an immutable version is a list of row numbers. Finding it is one scan; once found,
its length is the exact total and every page at whatever depth is a slice. Callers that ask for the same order
at the same time wait for one scan instead of starting their own.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa


_ENTRY_BYTES: Final = 1024  # what an entry takes beside its numbers, so that empty results do not pile up


class RowOrders:
    """`budget`: bytes; an order larger than all of it is used once and not kept."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._held = 0
        self._kept: OrderedDict[str, pa.Array] = OrderedDict()
        self._finding: dict[str, Lock] = {}
        self._lock = Lock()

    def get(self, identity: str, find: Callable[[], pa.Array]) -> pa.Array:
        with self._lock:
            order = self._recall(identity)
            if order is not None:
                return order
            turn = self._finding.setdefault(identity, Lock())
        with turn:
            with self._lock:
                order = self._recall(identity)
            if order is not None:
                return order
            try:
                order = find()
            finally:
                with self._lock:
                    self._finding.pop(identity, None)
                    if order is not None:
                        self._keep(identity, order)
        return order

    def _recall(self, identity: str) -> pa.Array | None:
        order = self._kept.get(identity)
        if order is not None:
            self._kept.move_to_end(identity)
        return order

    def _keep(self, identity: str, order: pa.Array) -> None:
        if _cost(order) > self._budget:
            return
        self._kept[identity] = order
        self._held += _cost(order)
        while self._held > self._budget:
            _, dropped = self._kept.popitem(last=False)
            self._held -= _cost(dropped)


def _cost(order: pa.Array) -> int:
    return int(order.nbytes) + _ENTRY_BYTES
