"""What the records of a JSON file look like, learnt from all of them: which members are cells, objects or lists.

Used by `json_records`. An object in every record gives columns `parent.child`; a list of objects gives a table of
its own, whose rows name their record by a key. Whatever lies deeper, or is not the same everywhere, stays JSON
text. Memory: a few counts for each member.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from opendata.kernel.text import fold
from opendata.resources.formats.json_text import NumberText, cell_of, clean, kind_of
from opendata.resources.formats.table import MOST_COLUMNS, check_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# More names than this in an object are keys of a map, not columns.
MOST_INNER: Final = 200
MOST_LISTS: Final = 20
_MOST_KEYS: Final = 1_000_000
_KEY_CANDIDATES: Final = 4
_KEY_WORDS: Final = ("code", "id", "ma", "key", "uuid")


@dataclass(frozen=True, slots=True)
class Field:
    """A column made of a record: the member `name`, or the member `inner` of the object in it."""

    label: str
    name: str
    inner: str | None
    kinds: set[str]

    def cell(self, record: Mapping[str, Any]) -> str:
        value = record.get(self.name)
        if self.inner is not None:
            value = value.get(self.inner) if isinstance(value, dict) else None
        return cell_of(value)


@dataclass(slots=True)
class Member:
    """One name of the records: how often it was what, and the names inside where it holds objects."""

    kinds: set[str] = field(default_factory=set)
    inner: dict[str, set[str]] = field(default_factory=dict)
    filled: int = 0
    objects: int = 0
    lists: int = 0
    rows: int = 0
    others: int = 0
    is_map: bool = False

    def see(self, value: Any) -> None:
        if type(value) is NumberText:
            self.filled += 1
            self.others += 1
            self.kinds.add("number")
            return
        kind = kind_of(value)
        if not kind:
            return
        self.filled += 1
        self.kinds.add(kind)
        if isinstance(value, dict):
            self.objects += 1
            self._look_into(value)
        elif isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
            self.lists += 1
            self.rows += len(value)
            for entry in value:
                self._look_into(entry)
        else:
            self.others += 1

    @property
    def is_object(self) -> bool:
        return bool(self.objects and self.inner) and not (self.lists or self.others or self.is_map)

    @property
    def is_list(self) -> bool:
        return bool(self.rows and self.inner) and not (self.objects or self.others or self.is_map)

    def _look_into(self, value: Mapping[str, Any]) -> None:
        if self.is_map:
            return
        for name, inner in value.items():
            kinds = self.inner.setdefault(name, set())
            if kind := kind_of(inner):
                kinds.add(kind)
        if len(self.inner) > MOST_INNER:
            self.is_map = True
            self.inner.clear()


class RecordShape:
    """Watches records. Show it every one, then ask `fields` and `lists`."""

    def __init__(self) -> None:
        self.count = 0
        self.members: dict[str, Member] = {}

    def see(self, record: Mapping[str, Any]) -> None:
        self.count += 1
        for name, value in record.items():
            member = self.members.get(name)
            if member is None:
                member = self.members[name] = Member()
                check_width(len(self.members))
            member.see(value)

    def lists(self) -> list[str]:
        """The members that become tables of their own."""
        found = [name for name, member in self.members.items() if member.is_list]
        return found if len(found) <= MOST_LISTS else []

    def fields(self) -> list[Field]:
        """The columns of the records themselves."""
        lists = set(self.lists())
        flat = [name for name, member in self.members.items() if member.is_object]
        width = len(self.members) - len(lists) + sum(len(self.members[name].inner) for name in flat)
        inside = set(flat) if width <= MOST_COLUMNS else set()
        found: list[Field] = []
        for name, member in self.members.items():
            label = clean(name).strip()
            if name in inside:
                found.extend(
                    Field(f"{label}.{clean(inner).strip()}", name, inner, kinds)
                    for inner, kinds in member.inner.items()
                )
            elif name not in lists:
                found.append(self.as_cell(name))
        return found

    def as_cell(self, name: str) -> Field:
        """The member as one column, whatever it holds."""
        return Field(clean(name).strip(), name, None, self.members[name].kinds)


def likely_keys(shape: RecordShape) -> list[str]:
    """Members that may name a record: one plain value in each, those named like a code first."""
    plain = [
        name
        for name, member in shape.members.items()
        if member.filled == shape.count and len(member.kinds) == 1 and member.kinds <= {"text", "number"}
    ]
    return sorted(plain, key=lambda name: not _is_named_as_key(name))[:_KEY_CANDIDATES]


def unique_key(records: Iterable[Mapping[str, Any]], candidates: list[str]) -> str | None:
    """The first candidate whose value is another one in every record, None where none is."""
    seen: dict[str, set[str]] = {name: set() for name in candidates}
    for record in records:
        for name in [*seen]:
            value = cell_of(record.get(name))
            if value in seen[name] or len(seen[name]) >= _MOST_KEYS:
                del seen[name]
            else:
                seen[name].add(value)
        if not seen:
            return None
    return next(iter(seen), None)


def repeated_key(records: Iterable[Mapping[str, Any]], key: str, lists: list[str]) -> dict[str, str]:
    """For lists whose entries repeat the key of their record in a member of their own: the name of that."""
    same: dict[str, set[str] | None] = dict.fromkeys(lists)
    for record in records:
        value = cell_of(record.get(key))
        for name in lists:
            for entry in _entries(record, name):
                fitting = {inner for inner, found in entry.items() if cell_of(found) == value}
                before = same[name]
                same[name] = fitting if before is None else before & fitting
    return {name: min(found) for name, found in same.items() if found}


def entries_of(records: Iterable[Mapping[str, Any]], name: str) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """Every entry of the list `name` with the record it stands in."""
    for record in records:
        for entry in _entries(record, name):
            yield record, entry


def _entries(record: Mapping[str, Any], name: str) -> list[Any]:
    found = record.get(name)
    return found if isinstance(found, list) else []


def _is_named_as_key(name: str) -> bool:
    folded = fold(name)
    return any(folded.startswith(word) or folded.endswith(word) for word in _KEY_WORDS)
