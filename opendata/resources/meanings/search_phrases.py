"""The words by which people look for columns of a meaning, read from the registry when the first is asked for.

For processes that seldom need one: the registry loads what reads columns, a quarter of a second of work, and
the catalogues of other portals come without files. May be pickled; it carries nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain


class SearchPhrases(Mapping[str, tuple[str, ...]]):
    """The phrases of a meaning in both languages, by its key."""

    def __getitem__(self, meaning: str) -> tuple[str, ...]:
        return _phrases()[meaning]

    def __iter__(self) -> Iterator[str]:
        return iter(_phrases())

    def __len__(self) -> int:
        return len(_phrases())


@cache
def _phrases() -> Mapping[str, tuple[str, ...]]:
    from opendata.resources.meanings.registry import MEANINGS  # noqa: PLC0415 - loads pyarrow, see above

    return {key: tuple(chain(*meaning.search_words.values())) for key, meaning in MEANINGS.items()}
