"""How long to leave something alone that fails again and again."""

from __future__ import annotations

import datetime as dt
from typing import Final, TypeVar

Length = TypeVar("Length", float, dt.timedelta)

# After days of failures too the doubled number is one that can be multiplied.
_MOST_DOUBLED: Final = 20


def doubled(first: Length, times: int, longest: Length) -> Length:
    """`first` doubled so many times (0 or more), `longest` at most."""
    return min(first * (1 << min(times, _MOST_DOUBLED)), longest)
