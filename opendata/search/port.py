"""What a caller says to search and hears back, and what an engine must be able to do.

The catalogue and the pages use these types through `SearchService`; each engine implements
`SearchEngine`. Nothing here knows a dataset: the caller names its texts, facets and sort keys. Whom a
document is visible to is part of every document and every request and has no default, so that no
request can forget it and an empty set of rights finds nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Protocol, TypeVar, runtime_checkable

from opendata.kernel.errors import N_, UnavailableError
from opendata.search.analysis import ANALYSIS_VERSION, View

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from opendata.search.nearness import Words
    from opendata.search.query import Clause, Query

# The word every visitor carries; documents that everyone may see list it in their `access`.
PUBLIC: Final = "public"
_PORT_VERSION = 4


@dataclass(frozen=True, slots=True)
class TextField:
    """A searched text: `boost` weighs its matches; `snippet` keeps the text so that it can be shown marked."""

    name: str
    boost: float = 1.0
    snippet: bool = True


@dataclass(frozen=True, slots=True)
class IndexSchema:
    """What the caller's documents hold. `numbers` and `sort_keys` (compared by code point) can be sorted by.

    Numbers can be asked for in ranges. Those named in `group_keys` as well (whole, below 2^53) are equal for
    documents that can be shown as one line, and are looked up at once.
    Texts of the same boost are scored as one: every word of a query costs a look-up for each boost.
    Raise `version` when documents are written differently under the same names; every index is then
    seen as outdated.
    """

    texts: tuple[TextField, ...]
    facets: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    sort_keys: tuple[str, ...] = ()
    group_keys: tuple[str, ...] = ()
    version: int = 1

    def boosts(self) -> dict[float, tuple[str, ...]]:
        """Each boost with the names of its texts, in the schema's order."""
        grouped: dict[float, tuple[str, ...]] = {}
        for text in self.texts:
            grouped[text.boost] = (*grouped.get(text.boost, ()), text.name)
        return grouped

    def names(self) -> dict[str, frozenset[str]]:
        """What documents may hold, by group."""
        return {
            "texts": frozenset(text.name for text in self.texts),
            "facets": frozenset(self.facets),
            "numbers": frozenset(self.numbers),
            "sort_keys": frozenset(self.sort_keys),
        }

    def fingerprint(self) -> str:
        """Equal for two indexes only when their documents and words are made alike."""
        described = json.dumps([_PORT_VERSION, ANALYSIS_VERSION, asdict(self)], sort_keys=True)
        return hashlib.sha256(described.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class SearchDocument:
    """One thing to be found. `stored` (JSON values) comes back with the hit exactly as given.

    A missing number or sort key sorts last in both directions. `suggestions` are the lines offered
    while someone types (a title, a keyword, a publisher); they are shown only to whom `access` allows.
    `prior` (0 to 1) says how welcome the document is whatever was asked; it only decides between hits that
    are about equal.
    """

    id: str
    access: tuple[str, ...]
    texts: Mapping[str, str]
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    sort_keys: Mapping[str, str] = field(default_factory=dict)
    stored: Mapping[str, object] = field(default_factory=dict)
    suggestions: tuple[str, ...] = ()
    prior: float = 0.0

    def check(self, known: Mapping[str, frozenset[str]]) -> None:
        """ValueError where the document names what is not among a schema's names, or has no id."""
        for group, names in known.items():
            given: Mapping[str, object] = getattr(self, group)
            if not given.keys() <= names:
                unknown = sorted(given.keys() - names)
                raise ValueError(f"document {self.id!r}: {group} without {unknown} in the schema")
        if not 0 <= self.prior <= 1:
            raise ValueError(f"document {self.id!r}: a prior is from 0 to 1")
        if not self.id or self.id.startswith(RESERVED):
            raise ValueError(f"{self.id!r} cannot be a document's id")


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A document as engines keep it that cut no words: `words` by field, to be split at spaces; `suggestions` are terms."""

    id: str
    access: tuple[str, ...]
    words: Mapping[str, str]
    facets: Mapping[str, tuple[str, ...]]
    numbers: Mapping[str, float]
    sort_keys: Mapping[str, str]
    suggestions: Sequence[str]
    prior: float
    kept: str


Made = TypeVar("Made")
_Made_co = TypeVar("_Made_co", covariant=True)


class Worker(Protocol[_Made_co]):
    """Makes of documents what an engine writes, and needs no index for it. `number`: of the chunk they belong to."""

    def take(self, number: int, documents: Iterable[SearchDocument], /) -> Iterable[_Made_co]: ...

    def finish(self) -> Iterable[_Made_co]:
        """What the last documents left unfinished."""


@runtime_checkable
class Documents(Protocol):
    """Documents that are to be written, as the engine's workers make them: in this process or in others."""

    def made_by(self, open_worker: Callable[[], Worker[Made]]) -> Iterator[Made]:
        """`open_worker` may be pickled: a class, or a partial of one."""


Upserts = Iterable[SearchDocument] | Documents

# Ids beginning so belong to the index itself (the row that holds the position).
RESERVED: Final = "\x00"


@dataclass(frozen=True, slots=True)
class Sort:
    """Order by one of the schema's numbers or sort keys; equal ones keep the engine's stable order."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, both included; None is open. A document without the number is in no range."""

    low: float | None = None
    high: float | None = None

    def holds(self, number: float | None) -> bool:
        if number is None:
            return False
        return (self.low is None or number >= self.low) and (self.high is None or number <= self.high)


@dataclass(frozen=True, slots=True)
class Grouping:
    """Documents with the same number `key` are one line, where the first of them would stand.

    Each line tells how many it stands for and names the first `members` of them, highest `edition` first.
    Of equally good ones the highest edition speaks for the line. `offset` and `limit` then count lines.
    `told`: what of `stored` each member comes with, all of it where nothing is named.
    """

    key: str
    edition: str
    members: int
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """`text` as typed. A document passes `filters` with any value of each facet named, and every range.

    `access` lists what the asking person may see; a document is visible when it shares a word with it.
    `sort` None is by relevance. `facets` maps the facets to count to their greatest number of values;
    `exact_text`: hits are always for the text as typed, never for a correction of it.
    `highlight` maps texts to the length of their fragment in characters, 0 for the whole text; `instead` names the
    text that is shown under the name of one that is empty.
    """

    access: frozenset[str]
    text: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)
    group: Grouping | None = None
    sort: Sort | None = None
    offset: int = 0
    limit: int = 20
    facets: Mapping[str, int] = field(default_factory=dict)
    highlight: Mapping[str, int] = field(default_factory=dict)
    exact_text: bool = False
    instead: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.filters or self.ranges)

    def check(self, schema: IndexSchema) -> None:
        """ValueError where the request names what the schema does not have, or counts below zero."""
        unknown = {*self.filters, *self.facets} - set(schema.facets)
        unknown |= {*self.highlight, *self.instead.values()} - {
            text.name for text in schema.texts if text.snippet
        }
        unknown |= set(self.ranges) - set(schema.numbers)
        unknown |= {self.group.key} - set(schema.group_keys) if self.group else set()
        unknown |= {self.group.edition} - set(schema.numbers) if self.group else set()
        unknown |= {self.sort.name} - {*schema.numbers, *schema.sort_keys} if self.sort else set()
        if unknown:
            raise ValueError(f"not in the search schema: {sorted(unknown)}")
        if self.offset < 0 or self.limit < 0:
            raise ValueError("offset and limit count from 0")


class Segment(NamedTuple):
    """A piece of shown text and whether it is what was searched for; the page escapes and marks it."""

    text: str
    is_match: bool


class Marked:
    """A shown text: its pieces one after the other, equal to a tuple of the same. Never changes.

    `bounds`: where what was searched for begins and ends, in order. Kept so, it takes a third of the memory that the pieces
    of thousands of hits would. `is_cut`: whether "…" stands for what is left out before and after.
    """

    __slots__ = ("_bounds", "_is_cut", "_text")

    def __init__(
        self, text: str, bounds: tuple[int, ...] = (), is_cut: tuple[bool, bool] = (False, False)
    ) -> None:
        self._text = text
        self._bounds = bounds
        self._is_cut = is_cut

    def __iter__(self) -> Iterator[Segment]:
        before, after = self._is_cut
        if before:
            yield _ELLIPSIS
        at, is_match = 0, False
        for bound in (*self._bounds, len(self._text)):
            if bound > at:
                yield Segment(self._text[at:bound], is_match)
            at, is_match = bound, not is_match
        if after:
            yield _ELLIPSIS

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (Marked, tuple)) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


_ELLIPSIS: Final = Segment("…", is_match=False)


@dataclass(frozen=True, slots=True)
class Group:
    """What a line stands for: `total` documents, the first of them as (id, what is told of it)."""

    total: int
    members: tuple[tuple[str, Mapping[str, object]], ...]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one term adds to a hit's score by one view of the texts of one boost; view `held`: by being there."""

    view: str
    boost: float
    term: str
    score: float


class Hit(NamedTuple):
    """`score` means something only beside the other scores of one answer sorted by relevance. `content`: see KeptOfDocument."""

    id: str
    score: float
    stored: Mapping[str, object]
    snippets: Mapping[str, Marked]
    group: Group | None = None
    content: int = 0


# Values of a facet with their number of documents, most first.
Counts = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class SearchResponse:
    """`total` is exact, of documents. `facets` are counted without the facet's own filter and hold its chosen values.

    `lines`: of a grouped answer all lines there are, None where that was not counted to the end.
    `more`: something comes after this page.

    `relaxed`: nothing held enough of the words, so documents with any of them are shown.
    `suggestion`: the text that was probably meant, accented as the catalogue writes it. `shown_for`: the same
    where nothing was found for the typed text, or where it holds a word that no visible document has and some
    document then has more of the words: everything in this answer is for the one meant.
    """

    total: int = 0
    hits: tuple[Hit, ...] = ()
    facets: Mapping[str, Counts] = field(default_factory=dict)
    suggestion: str | None = None
    shown_for: str | None = None
    relaxed: bool = False
    took_seconds: float = 0.0
    lines: int | None = None
    more: bool = False
    made: object = field(default_factory=object, compare=False, repr=False)
    """The same object as long as the same answer is given again: what was made of it then still holds."""
    after: object = field(default=None, compare=False, repr=False)
    """What `made` was of an earlier answer, of which many hits are here again as the same objects."""


class KeptOfDocument(Protocol):
    """What an engine keeps of a document: `stored` as given, and the originals of the texts that are shown.

    `content`: equal for documents of which the same is kept, for others in practice not.
    """

    @property
    def stored(self) -> Mapping[str, object]: ...

    @property
    def texts(self) -> Mapping[str, str]: ...

    @property
    def content(self) -> int: ...


class Match(NamedTuple):
    """A hit as the engine returns it."""

    id: str
    score: float
    kept: KeptOfDocument
    group: Group | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """See SearchResponse."""

    total: int = 0
    matches: tuple[Match, ...] = ()
    facets: Mapping[str, Counts] = field(default_factory=dict)
    lines: int | None = None
    more: bool = False


class Vocabulary(StrEnum):
    """The lists of terms an engine can be asked for: folded words, and lines to suggest."""

    WORDS = "words"
    SUGGESTIONS = "suggestions"


class IndexState(StrEnum):
    """`outdated`: written for another schema or analysis. All but `ready` want a rebuild."""

    READY = "ready"
    MISSING = "missing"
    OUTDATED = "outdated"
    DAMAGED = "damaged"


class IndexUnusableError(UnavailableError):
    """The index is outdated, damaged or (when written to) missing: its owner rebuilds it from the database."""

    code: ClassVar[str] = "search-unavailable"
    template: ClassVar[str] = N_("Search is being set up again. Try again in a few minutes.")

    def __init__(self, state: IndexState) -> None:
        self.state = state
        super().__init__()


class IndexBusyError(UnavailableError):
    """Another process is writing; what was to be written is not in the index."""

    code: ClassVar[str] = "search-index-busy"
    template: ClassVar[str] = N_("Another program is writing the search index. Try again in a moment.")


class SearchEngine(Protocol):
    """An index that many processes read while one writes. To readers a missing index is an empty one.

    Everything but `state` and `rebuild` raises IndexUnusableError on an outdated or damaged index.
    """

    def state(self) -> IndexState: ...

    def apply(self, upserts: Upserts, deletes: Iterable[str], position: int) -> None:
        """One atomic commit: deletes first, then upserts, and `position` with them. IndexBusyError.

        IndexUnusableError also on a missing index: begun with one batch it would look whole.
        """

    def rebuild(self, documents: Upserts, position: int) -> int:
        """A new index built beside the one that answers, then put in its place; the number of documents."""

    def tidy(self, stopping: threading.Event) -> bool:
        """Work that makes searches faster and that no commit waits for; whether some was done, so that there may be more.

        Takes seconds, nearly all of them in another process, while others search and write. Given up when told to stop.
        IndexBusyError where another process is at it; PreparingError.
        """

    def position(self) -> int | None:
        """The last position committed; None while there is no index."""

    def moment(self) -> Hashable:
        """Equal as long as the index is what it was: what was answered meanwhile still holds."""

    def grounds(self, request: SearchRequest, query: Query) -> Hashable | None:
        """Equal at two moments only if `search` would answer this with the same documents, unchanged.

        Reads of the request who asks and its ranges, not its filters. None where the engine cannot tell.
        """

    def count(self) -> int:
        """All documents, whoever may see them."""

    def search(self, request: SearchRequest, query: Query) -> Found:
        """What `query` and the request's filters match among the visible. Does not read `request.text`."""

    def scan(self, request: SearchRequest, query: Query) -> tuple[int, Iterator[Match]]:
        """The total, and the first `request.limit` one by one, as the index was at the call: for long lists."""

    def terms(
        self, vocabulary: Vocabulary, prefix: str, access: frozenset[str], limit: int
    ) -> list[tuple[str, int]]:
        """Terms beginning with `prefix` and how many visible documents hold each, most first."""

    def words(self, first: str) -> Words:
        """All folded words with this first letter, whoever may see them: for choosing what to look up."""

    def counts(self, clauses: Sequence[Clause], access: frozenset[str]) -> list[int]:
        """How many visible documents match each clause."""

    def lines(self, words: Sequence[str], access: frozenset[str], documents: int) -> list[str]:
        """Long lines to suggest of some visible documents, at most `documents`, that have one in which these
        folded words follow each other, the last perhaps only begun. Other lines of theirs come along.
        """

    def document(self, document_id: str, access: frozenset[str]) -> Match | None:
        """One document, if it is visible."""

    def frequencies(self, view: View, terms: Sequence[str]) -> list[int]:
        """How many documents about hold each term in the texts of some boost, whoever may see them."""

    def explain(self, document_id: str, query: Query) -> tuple[Contribution, ...]:
        """What makes up the score of a document the asking person is known to see, most first."""

    def close(self) -> None: ...
