"""Stage one, identify: what a file is, by its content.

`identify(path, filename)` reads a text file once from end to end (an encoding is proven only by the last
byte) and of any other file no more than its head. The name decides nothing but what the publisher expects:
where it claims a table and the content is something else, that is an error with both named; where it claims
nothing, the file is kept as it is.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from opendata.resources.formats.archive_members import gzip_member, is_table_member
from opendata.resources.formats.clean_text import MEGABYTE, CleanText
from opendata.resources.formats.delimited import (
    LONGEST_CELL,
    QUOTE,
    SAMPLE_BYTES,
    best_delimiter,
    judge_delimiters,
    rows_of,
)
from opendata.resources.formats.signature import FORMATS, claimed_format, signature
from opendata.resources.formats.spreadsheet import sheet_names
from opendata.resources.formats.table import MOST_COLUMNS
from opendata.resources.formats.text import TextSurvey, survey_text
from opendata.resources.formats.xml_table import IrregularXmlError
from opendata.resources.formats.xml_table import survey as survey_xml
from opendata.resources.formats.zip_directory import read_directory
from opendata.resources.ingest.problems import Problem, UnreadableError, shown
from opendata.resources.ingest.result import Dialect, Identification, Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    ReportProgress = Callable[[Progress], None]

_BOOKS: Final = ("xlsx", "xlsb", "xls", "ods")
_DELIMITED: Final = ("csv", "tsv")
_ARCHIVES: Final = ("zip", "gzip")
_SHOWN_MEMBERS: Final = 50
# An unnamed text is a table when nearly all of its rows have the same many columns.
_SURE_TABLE: Final = 0.5
_CODEC_NAMES: Final = {
    "cp1258": "Windows-1258 (Việt Nam)",
    "cp1252": "Windows-1252",
    "latin-1": "ISO 8859-1",
    "tcvn3": "TCVN3 (ABC)",
    "vni": "VNI-Windows",
}


class UnidentifiedError(UnreadableError):
    """A file that cannot go on, with as much of its identity as is known."""

    def __init__(self, problem: Problem, identification: Identification) -> None:
        self.identification = identification
        super().__init__(problem)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    name: str
    size: int
    claimed: str | None
    report: ReportProgress

    def seen(self, done: int) -> None:
        self.report(Progress("identify", done, self.size, "bytes"))


def silent(progress: Progress) -> None:
    """The progress report of who does not want any."""


def identify(path: Path, filename: str, *, report: ReportProgress = silent) -> Identification:
    """Identify a file. Raises UnidentifiedError where it claims to be a table and cannot be one."""
    file = _File(path, filename, path.stat().st_size, claimed_format(filename), report)
    file.seen(0)
    if file.size == 0:
        raise UnidentifiedError(Problem("empty-file"), _unread(file, file.claimed or "binary"))
    try:
        found = signature(path)
    except UnreadableError as error:
        problem = error.problem
        if problem.code == "archive-damaged":
            if file.claimed is None:
                return _with(_unread(file, "zip"), table_format=False)
            if file.claimed in _BOOKS:
                problem = Problem("archive-damaged", {"found": file.claimed})
        raise UnidentifiedError(problem, _unread(file, "zip")) from error
    if found is None:
        return _identify_text(file)
    identification = _unread(file, found)
    if found in _ARCHIVES:
        identification = _identify_archive(file, identification, filename)
    if not identification.table_format:
        if file.claimed:
            differs = {"claimed": file.claimed, "found": found}
            raise UnidentifiedError(Problem("content-differs", differs), identification)
        return identification
    return _identify_container(file, identification)


def _identify_archive(file: _File, identification: Identification, filename: str) -> Identification:
    """An archive is a table format when one of its members claims to be a table."""
    if identification.format == "gzip":
        member = gzip_member(file.path, filename)
        evidence: dict[str, Any] = {"member": member}
        return _with(identification, evidence=evidence, table_format=claimed_format(member) is not None)
    names = [entry.name for entry in read_directory(file.path) if is_table_member(entry)]
    evidence = {"tables": names[:_SHOWN_MEMBERS]}
    return _with(identification, evidence=evidence, table_format=bool(names))


def _identify_container(file: _File, identification: Identification) -> Identification:
    found = identification.format
    evidence: dict[str, Any] = dict(identification.evidence)
    if found in _BOOKS:
        try:
            evidence["sheets"] = sheet_names(file.path, found)
        except UnreadableError as error:
            if found == "xls" and file.claimed is None:
                return _with(identification, format="office", evidence=evidence)
            raise UnidentifiedError(error.problem, identification) from error
    return _with(identification, evidence=evidence, problems=_claim_notes(file, found))


def _identify_text(file: _File) -> Identification:
    try:
        survey = survey_text(file.path, file.claimed, file.seen)
    except UnreadableError as error:
        unread = _unread(file, "binary" if error.problem.code != "invalid-utf8" else "text")
        if file.claimed is None:
            return unread
        unreadable = {
            "parquet": Problem("parquet-unreadable"),
            "arrow": Problem("arrow-unreadable"),
            "sqlite": Problem("sqlite-unreadable"),
            **{book: Problem("workbook-unreadable", {"found": book}) for book in _BOOKS},
        }
        raise UnidentifiedError(unreadable.get(file.claimed, error.problem), unread) from error
    with _clean(file, survey) as raw:
        sample = io.BufferedReader(raw, MEGABYTE).read(SAMPLE_BYTES).decode("utf-8", "ignore")
    found, scores = _kind_of_text(sample, file.claimed)
    if found in {"text", *_DELIMITED} and file.name.lower().endswith(".xml") and sample.lstrip()[:1] == "<":
        found, scores = "xml", {}
    identification = _described(file, survey, found, scores)
    if found == "xml":
        identification = _identify_xml(file, identification)
    if found in _DELIMITED and survey.longest_line > LONGEST_CELL:
        too_long = Problem("line-too-long", {"limit": LONGEST_CELL // MEGABYTE}, row=survey.longest_row)
        raise UnidentifiedError(too_long, identification)
    if identification.dialect is not None and len(sample) >= SAMPLE_BYTES // 4:
        _check_width(file, survey, identification, sample)
    is_map = found == "geojson" and file.claimed == "json"
    if not identification.table_format and not is_map and file.claimed not in {None, "geojson"}:
        differs = {"claimed": file.claimed, "found": found}
        raise UnidentifiedError(Problem("content-differs", differs), identification)
    return identification


def _identify_xml(file: _File, identification: Identification) -> Identification:
    """XML is a table only where it is regular. Broken XML that was never said to be one is kept."""
    evidence = dict(identification.evidence)
    try:
        places = survey_xml(file.path)
    except IrregularXmlError as error:
        return _with(
            identification, table_format=False, evidence=evidence | {"irregular": shown(error.element)}
        )
    except UnreadableError as error:
        if error.problem.code == "xml-entities":
            raise UnidentifiedError(error.problem, identification) from error
        return _with(identification, table_format=False)
    records = ["/".join(place.path) for place in places]
    return _with(identification, evidence=evidence | {"records": records[:_SHOWN_MEMBERS]})


def _check_width(file: _File, survey: TextSurvey, identification: Identification, sample: str) -> None:
    """A first line of thousands of cells is refused before a million of them are taken apart."""
    delimiter = identification.dialect.delimiter if identification.dialect else ","
    first = next(iter(rows_of(sample, delimiter)), [])
    if len(first) <= MOST_COLUMNS:
        return
    count = 1
    with _clean(file, survey) as raw, io.BufferedReader(raw, MEGABYTE) as text:
        while chunk := text.read(MEGABYTE):
            line, *rest = chunk.splitlines() or [b""]
            count += line.count(delimiter.encode())
            if rest:
                break
    too_many = Problem("too-many-columns", {"columns": count, "limit": MOST_COLUMNS})
    raise UnidentifiedError(too_many, identification)


def _kind_of_text(sample: str, claimed: str | None) -> tuple[str, dict[str, float]]:
    """Format of a text and the scores of the delimiters that decided it."""
    start = sample.lstrip()[:1000].lower()
    if markup := _markup(start):
        return markup, {}
    if claimed in {"json", "jsonl", "geojson"} or (claimed is None and start.startswith(("{", "["))):
        return _kind_of_json(sample, claimed), {}
    scores = judge_delimiters(sample)
    best = best_delimiter(scores)
    if claimed in _DELIMITED:
        return ("tsv" if best == "\t" or (best is None and claimed == "tsv") else "csv"), scores
    if best is not None and scores[best] >= _SURE_TABLE:
        return ("tsv" if best == "\t" else "csv"), scores
    return "text", scores


def _markup(start: str) -> str | None:
    if start.startswith(("<!doctype html", "<html")):
        return "html"
    if start.startswith("<svg") or (start.startswith("<?xml") and "<svg" in start):
        return "svg"
    return "xml" if start.startswith("<?xml") else None


def _kind_of_json(sample: str, claimed: str | None) -> str:
    start = sample.lstrip()
    if claimed == "jsonl":
        return "json" if start.startswith("[") else "jsonl"
    if start.startswith("{"):
        head = start[:1000].replace(" ", "")
        if '"type":"FeatureCollection"' in head or '"type":"Feature"' in head:
            return "geojson"
        lines = [line for line in start.splitlines()[:3] if line.strip()]
        if len(lines) > 1 and all(
            line.strip().startswith("{") and line.strip().endswith("}") for line in lines[:-1]
        ):
            return "jsonl"
    if claimed is None and not start.startswith(("[", "{")):
        return "text"
    return "geojson" if claimed == "geojson" else "json"


def _described(file: _File, survey: TextSurvey, found: str, scores: dict[str, float]) -> Identification:
    problems = _claim_notes(file, found)
    if survey.is_guess:
        named = _CODEC_NAMES.get(survey.encoding, survey.encoding)
        problems = (*problems, Problem("encoding-guessed", {"encoding": named}))
    delimiter = best_delimiter(scores) if scores else None
    dialect = Dialect(delimiter or ("\t" if found == "tsv" else ","), QUOTE, survey.line_end)
    return Identification(
        format=found,
        media_type=FORMATS[found].media_type,
        table_format=FORMATS[found].is_table,
        size=survey.size,
        sha256=survey.sha256,
        md5=survey.md5,
        encoding=survey.encoding,
        dialect=dialect if found in _DELIMITED else None,
        evidence={
            "mark_bytes": survey.mark_bytes,
            "is_plain": survey.is_plain,
            "is_guess": survey.is_guess,
            "encoding_words": dict(survey.words),
            "quotes": survey.quotes,
            "longest_line": survey.longest_line,
            "delimiters": {delimiter: round(score, 3) for delimiter, score in scores.items()},
        },
        problems=problems,
    )


def _claim_notes(file: _File, found: str) -> tuple[Problem, ...]:
    """A note where the name says one table format and the content is another one that can be read."""
    same = {file.claimed, None}
    if file.claimed in _DELIMITED:
        same |= set(_DELIMITED)
    if file.claimed is None or found in same or not FORMATS[found].is_table:
        return ()
    return (Problem("read-by-content", {"claimed": file.claimed, "found": found}),)


def _clean(file: _File, survey: TextSurvey) -> CleanText:
    return CleanText(file.path, survey.encoding, mark_bytes=survey.mark_bytes, is_plain=survey.is_plain)


def _unread(file: _File, found: str) -> Identification:
    """The identity of a file whose content is not looked into: its hashes and its format."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    done = 0
    with file.path.open("rb") as source:
        while chunk := source.read(4 * MEGABYTE):
            sha256.update(chunk)
            md5.update(chunk)
            done += len(chunk)
            file.seen(done)
    known = FORMATS[found]
    return Identification(
        format=found,
        media_type=known.media_type,
        table_format=known.is_table,
        size=file.size,
        sha256=sha256.hexdigest(),
        md5=md5.hexdigest(),
    )


def _with(identification: Identification, **changes: Any) -> Identification:
    found = changes.get("format", identification.format)
    changes.setdefault("media_type", FORMATS[found].media_type)
    changes.setdefault("table_format", FORMATS[found].is_table)
    return replace(identification, **changes)
