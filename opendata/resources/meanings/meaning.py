"""What a kind of meaning is: the words of column names and the test of values that speak for it.

One file of this folder describes one meaning (or the few that are told apart together); `registry` lists
them and `recognise` decides. A meaning says *how* it is known, in data; it never looks at a file itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    Test = Callable[[pa.Array], pa.Array]
    """Values without null, as stored; True where a value fits."""
    Distinct = Callable[[pa.Array], bool]

TEXT: Final = frozenset({"string"})
WHOLE: Final = frozenset({"string", "integer"})
FIGURES: Final = frozenset({"integer", "number"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """`key` is stored with columns and never renamed.

    A column has the meaning by its name when its label holds one of `names` (and that not inside one of
    `not_names`), it is of one of `types`, and `named_share` of its values pass `named`. It has the meaning by
    its values alone when it is text, holds at least `alone_distinct` different values, and `alone_share` of
    them pass `alone`; None where values alone are never enough. `contrast` is passed by at least one value in fifty,
    `least_distinct` is how many different values even a named column needs, and `varied` sees up to 1,000
    different values of a column without such a name: running numbers that merely look right fail it.
    Of several meanings that hold, the one with the longest name found in the label wins, then the higher `rank`,
    then the larger share.
    """

    key: str
    title: str
    description: str
    search_words: Mapping[str, tuple[str, ...]]
    types: frozenset[str]
    names: tuple[str, ...]
    named: Test | None
    not_names: tuple[str, ...] = ()
    named_share: float = 0.9
    alone: Test | None = None
    alone_share: float = 0.98
    alone_distinct: int = 10
    contrast: Test | None = None
    least_distinct: int = 1
    varied: Distinct | None = None
    rank: int = 0
    is_personal: bool = False
