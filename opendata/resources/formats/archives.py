"""ZIP and gzip: every member that is a table, read by the reader of its own format.

Called through `readers`. Members are unpacked one at a time into the job's work folder under a name of ours, and
deleted when their tables are read; the names in the archive are only ever labels. A member that claims to be a
table and is broken stops the archive, as it would alone; one without rows, or of another kind, is said. Archives
inside archives are not opened.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Protocol

from opendata.kernel.text import clean_line
from opendata.resources.formats.archive_members import is_content, is_table_member, may_be_table
from opendata.resources.formats.table import Irregular, IrregularRowsError
from opendata.resources.formats.unpacking import (
    MOST_TABLES,
    UnpackingError,
    check_unpacked,
    gunzipped,
)
from opendata.resources.formats.zip_directory import (
    DEFLATED,
    STORED,
    Entry,
    content,
    is_safe_name,
    read_directory,
)
from opendata.resources.ingest.identify import UnidentifiedError, identify
from opendata.resources.ingest.problems import Problem, UnreadableError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opendata.resources.formats.table import Reader, Reading, Report, SourceTable, TextBatch
    from opendata.resources.ingest.result import Identification

DESCRIPTOR: Final = "datapackage.json"
LONGEST_DESCRIPTOR: Final = 1 << 20
_LONGEST_LIST: Final = 300
_WITHOUT_ROWS: Final = frozenset({"empty-file", "no-data", "no-rows"})
_TITLED: Final = frozenset({"xlsx", "xlsb", "xls", "ods", "json", "jsonl", "sqlite", "xml"})


class ArchiveReader(Protocol):
    def __call__(
        self,
        path: Path,
        identification: Identification,
        *,
        readers: Mapping[str, Reader],
        workdir: Path | None = None,
    ) -> Iterator[SourceTable | Problem]: ...


def zip_tables(
    path: Path,
    identification: Identification,  # noqa: ARG001 - asked for by the protocol
    *,
    readers: Mapping[str, Reader],
    workdir: Path | None = None,
) -> Iterator[SourceTable | Problem]:
    """The tables of all members, titled `folder/name`. Raises UnreadableError."""
    entries = read_directory(path)
    descriptor = _read_descriptor(path, entries)
    wanted = [
        entry
        for entry in entries
        if (is_table_member(entry) or may_be_table(entry)) and entry.name not in descriptor.about
    ]
    _check_all(wanted)
    found = 0
    in_the_way: Problem | None = None
    with _folder(workdir) as folder:
        for entry in wanted:
            title = descriptor.titles.get(entry.name) or _title(entry, wanted)
            for table in _tables_of(path, entry, _Member(entry.name, title, folder / "member"), readers):
                if isinstance(table, Problem):
                    in_the_way = in_the_way or table
                else:
                    found += 1
                yield table
    if not found:
        is_reason = in_the_way is not None and in_the_way.severity == "warning"
        nothing = Problem("archive-without-tables")
        raise UnreadableError(replace(in_the_way, severity="error") if in_the_way and is_reason else nothing)
    kept = [
        entry.name
        for entry in entries
        if entry not in wanted and is_content(entry) and entry.name != DESCRIPTOR
    ]
    if kept:
        names = clean_line(", ".join(kept))[:_LONGEST_LIST]
        yield Problem("archive-members-kept", {"count": len(kept), "names": names})


def _tables_of(
    path: Path, entry: Entry, member: _Member, readers: Mapping[str, Reader]
) -> Iterator[SourceTable | Problem]:
    if entry.method not in {STORED, DEFLATED}:
        yield Problem("archive-method", {"member": shown(entry.name)})
        return
    yield from member.tables(readers, _counted(path, entry))


def gzip_tables(
    path: Path,
    identification: Identification,
    *,
    readers: Mapping[str, Reader],
    workdir: Path | None = None,
) -> Iterator[SourceTable | Problem]:
    """The tables of the one file that is packed. Raises UnreadableError."""
    name = str(identification.evidence.get("member") or "")

    def unpacked() -> Iterator[bytes]:
        with path.open("rb") as source:
            yield from gunzipped(source)

    with _folder(workdir) as folder:
        member = _Member(name, "", folder / "member")
        found = 0
        for table in member.tables(readers, unpacked()):
            found += not isinstance(table, Problem)
            yield table
    if not found:
        raise UnreadableError(Problem("archive-without-tables"))


@dataclass(frozen=True, slots=True)
class _Member:
    """A member while it lies unpacked at `path`."""

    name: str
    title: str
    path: Path

    def tables(
        self, readers: Mapping[str, Reader], pieces: Iterator[bytes]
    ) -> Iterator[SourceTable | Problem]:
        try:
            self._unpack(pieces)
            with self._named():
                yield from self._read(readers)
        finally:
            self.path.unlink(missing_ok=True)

    def _unpack(self, pieces: Iterator[bytes]) -> None:
        try:
            with self.path.open("wb") as target:
                target.writelines(pieces)
        except UnpackingError as error:
            raise UnreadableError(Problem("archive-member-damaged", {"member": shown(self.name)})) from error

    def _read(self, readers: Mapping[str, Reader]) -> Iterator[SourceTable | Problem]:
        try:
            identification = identify(self.path, PurePosixPath(self.name).name)
        except UnidentifiedError as error:
            if error.problem.code not in _WITHOUT_ROWS:
                raise
            yield Problem("archive-member-without-rows", {"member": shown(self.name)})
            return
        reader = readers.get(identification.format)
        if reader is None or not identification.table_format:
            yield Problem("archive-members-kept", {"count": 1, "names": shown(self.name)})
            return
        said = list(identification.problems)
        try:
            for found in reader(self.path, identification):
                if isinstance(found, Problem):
                    yield replace(found, table=found.table or self.title or None)
                    continue
                if not _has_rows(identification, found):
                    yield Problem("archive-member-without-rows", {"member": shown(self.name)})
                    continue
                found.title = self._titled(identification.format, found.title)
                found.readings = tuple(partial(self._guarded, reading) for reading in found.readings)
                found.problems += said
                said = []
                yield found
        except UnreadableError as error:
            if error.problem.code not in _WITHOUT_ROWS:
                raise
            yield Problem("archive-member-without-rows", {"member": shown(self.name)})

    def _titled(self, found: str, title: str) -> str:
        if found not in _TITLED or not title:
            return self.title or title
        return f"{self.title} / {title}" if self.title else title

    def _guarded(self, reading: Reading, report: Report) -> Iterator[TextBatch]:
        with self._named():
            yield from reading(report)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Problems of the member, with its name."""
        try:
            yield
        except UnreadableError as error:
            if error.problem.table is not None or not self.title:
                raise
            raise UnreadableError(error.problem.in_table(self.name)) from error


@dataclass(frozen=True, slots=True)
class _Descriptor:
    """What a data package says of the members: their titles, and which of them only describe others."""

    titles: Mapping[str, str]
    about: frozenset[str]


def _read_descriptor(path: Path, entries: Sequence[Entry]) -> _Descriptor:
    """Raises UnreadableError for paths that lead out of the archive."""
    described = next((entry for entry in entries if entry.name == DESCRIPTOR), None)
    if described is None:
        return _Descriptor({}, frozenset())
    data = _json_member(path, described)
    resources = data.get("resources") if isinstance(data, dict) else None
    titles: dict[str, str] = {}
    about = {DESCRIPTOR}
    for resource in resources if isinstance(resources, list) else ():
        if not isinstance(resource, dict):
            continue
        paths = resource.get("path")
        named = [each for each in (paths if isinstance(paths, list) else [paths]) if isinstance(each, str)]
        schema = resource.get("schema")
        for reference in (*named, *([schema] if isinstance(schema, str) else [])):
            if "://" in reference or not is_safe_name(reference):
                raise UnreadableError(Problem("descriptor-unsafe-path", {"path": shown(reference)}))
        about |= {schema} if isinstance(schema, str) else set()
        title = resource.get("title") or resource.get("name")
        if isinstance(title, str) and len(named) == 1:
            titles[named[0]] = clean_line(title)
    return _Descriptor(titles, frozenset(about))


def _json_member(path: Path, entry: Entry) -> Any:
    if entry.unpacked > LONGEST_DESCRIPTOR or entry.is_encrypted:
        raise UnreadableError(Problem("descriptor-unreadable"))
    try:
        return json.loads(b"".join(content(path, entry)).decode("utf-8-sig"))
    except (UnpackingError, ValueError, RecursionError) as error:
        raise UnreadableError(Problem("descriptor-unreadable")) from error


def _check_all(wanted: Sequence[Entry]) -> None:
    if len(wanted) > MOST_TABLES:
        raise UnreadableError(
            Problem("archive-too-many-tables", {"count": len(wanted), "limit": MOST_TABLES})
        )
    if any(entry.is_encrypted for entry in wanted):
        raise UnreadableError(Problem("archive-locked"))
    check_unpacked(sum(entry.unpacked for entry in wanted), sum(entry.packed for entry in wanted))


def _counted(path: Path, entry: Entry) -> Iterator[bytes]:
    done = 0
    for piece in content(path, entry):
        done += len(piece)
        check_unpacked(done, entry.packed)
        yield piece


def _title(entry: Entry, wanted: Sequence[Entry]) -> str:
    """Folder and name; without the folder where all tables lie in the same one."""
    path = PurePosixPath(entry.name)
    parents = {PurePosixPath(each.name).parent for each in wanted}
    stem = PurePosixPath(path.name.rpartition(".")[0] or path.name)
    return str(stem if len(parents) == 1 else path.parent / stem)


def _has_rows(identification: Identification, found: SourceTable) -> bool:
    """Whether there is a row; only delimited text does not know that before it is read."""
    if identification.format not in {"csv", "tsv"}:
        return True
    for reading in found.readings:
        try:
            first = next(reading(_no_report), None)
        except IrregularRowsError:
            continue
        found.irregular = Irregular()
        return first is not None
    return True


@contextmanager
def _folder(workdir: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="unpacked-", dir=workdir) as folder:
        yield Path(folder)


def _no_report(done: int, total: int, unit: str) -> None:
    """A glance at the first rows is not shown."""
