"""What a file is by its first bytes (and, for ZIP containers, its list of members), whatever its name says.

Called by `ingest.identify`. Reads at most 8 KB and a ZIP directory of bounded size; of a workbook it also counts
what its parts unpack to, since a library reads them later. Text is not told apart here: `formats.text` does that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opendata.resources.formats.arrow_file import is_stream
from opendata.resources.formats.unpacking import MEGABYTE, MOST_UNPACKED
from opendata.resources.formats.workbook_parts import check_workbook, head_of
from opendata.resources.formats.zip_directory import check_names, read_directory
from opendata.resources.ingest.problems import Problem, UnreadableError

if TYPE_CHECKING:
    from pathlib import Path

    from opendata.resources.formats.zip_directory import Entry

HEAD_BYTES: Final = 8192


@dataclass(frozen=True, slots=True)
class Format:
    """A file format. `is_table`: a reader here makes tables of it; `is_text`: it has an encoding."""

    name: str
    media_type: str
    is_table: bool = False
    is_text: bool = False


_OFFICE = "application/vnd.openxmlformats-officedocument"
_FORMATS = (
    Format("csv", "text/csv", is_table=True, is_text=True),
    Format("tsv", "text/tab-separated-values", is_table=True, is_text=True),
    Format("json", "application/json", is_table=True, is_text=True),
    Format("jsonl", "application/jsonl", is_table=True, is_text=True),
    Format("geojson", "application/geo+json", is_table=True, is_text=True),
    Format("text", "text/plain", is_text=True),
    Format("html", "text/html", is_text=True),
    Format("xml", "application/xml", is_table=True, is_text=True),
    Format("svg", "image/svg+xml", is_text=True),
    Format("xlsx", f"{_OFFICE}.spreadsheetml.sheet", is_table=True),
    Format("xlsb", "application/vnd.ms-excel.sheet.binary.macroEnabled.12", is_table=True),
    Format("xls", "application/vnd.ms-excel", is_table=True),
    Format("ods", "application/vnd.oasis.opendocument.spreadsheet", is_table=True),
    Format("parquet", "application/vnd.apache.parquet", is_table=True),
    Format("pdf", "application/pdf"),
    Format("docx", f"{_OFFICE}.wordprocessingml.document"),
    Format("pptx", f"{_OFFICE}.presentationml.presentation"),
    Format("odt", "application/vnd.oasis.opendocument.text"),
    Format("office", "application/x-ole-storage"),
    Format("zip", "application/zip", is_table=True),
    Format("gzip", "application/gzip", is_table=True),
    Format("archive", "application/octet-stream"),
    Format("png", "image/png"),
    Format("jpeg", "image/jpeg"),
    Format("gif", "image/gif"),
    Format("tiff", "image/tiff"),
    Format("webp", "image/webp"),
    Format("audio", "application/octet-stream"),
    Format("video", "application/octet-stream"),
    Format("sqlite", "application/vnd.sqlite3", is_table=True),
    Format("arrow", "application/vnd.apache.arrow.file", is_table=True),
    Format("binary", "application/octet-stream"),
)
FORMATS: Final = {known.name: known for known in _FORMATS}

# The ending a publisher gave, and the format it claims. Only formats with a table make a claim that can
# fail: a damaged picture is still stored as it is.
CLAIMS: Final = {
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "xlsx": "xlsx",
    "xlsm": "xlsx",
    "xlsb": "xlsb",
    "xls": "xls",
    "ods": "ods",
    "json": "json",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "geojson": "geojson",
    "parquet": "parquet",
    "arrow": "arrow",
    "arrows": "arrow",
    "feather": "arrow",
    "sqlite": "sqlite",
    "sqlite3": "sqlite",
}

_MAGIC: Final = (
    (b"%PDF-", "pdf"),
    (b"PAR1", "parquet"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"ARROW1", "arrow"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!\x1a\x07", "archive"),
    (b"\xfd7zXZ\x00", "archive"),
    (b"BZh9", "archive"),
    (b"\x28\xb5\x2f\xfd", "archive"),
    (b"ID3", "audio"),
    (b"OggS", "audio"),
    (b"fLaC", "audio"),
    (b"\x1aE\xdf\xa3", "video"),
)
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_ENTRY: Final = 128
_ZIP_HEADS: Final = (b"PK\x03\x04", b"PK\x05\x06")
_ISO_MEDIA_OFFSET: Final = 4


def claimed_format(filename: str) -> str | None:
    """The table format that the ending of the name claims, None where it claims none."""
    return CLAIMS.get(filename.rpartition(".")[2].lower()) if "." in filename else None


def signature(path: Path) -> str | None:
    """Name of the format that the bytes prove, None where they prove none (text, or unknown).

    Raises UnreadableError for a container that is cut off, contradicts itself, or is a workbook that would
    unpack to more than MOST_UNPACKED.
    """
    with path.open("rb") as source:
        head = source.read(HEAD_BYTES)
    if head.startswith(_ZIP_HEADS):
        return _zip_format(path)
    if head.startswith(_OLE):
        return _ole_format(path)
    if head.startswith(b"RIFF"):
        return {b"WEBP": "webp", b"WAVE": "audio", b"AVI ": "video"}.get(head[8:12], "binary")
    if is_stream(head):
        return "arrow"
    if head[_ISO_MEDIA_OFFSET:8] == b"ftyp":
        return "video"
    return next((name for magic, name in _MAGIC if head.startswith(magic)), None)


def _zip_format(path: Path) -> str:
    entries = read_directory(path)
    found = _zip_kind(path, entries)
    if found == "zip":
        check_names(entries)
    elif FORMATS[found].is_table:
        unpacked = sum(entry.unpacked for entry in entries)
        if unpacked > MOST_UNPACKED:
            sizes = {"size": unpacked // MEGABYTE, "limit": MOST_UNPACKED // MEGABYTE}
            raise UnreadableError(Problem("workbook-too-large", sizes))
        check_workbook(path, entries, found)
    return found


def _zip_kind(path: Path, entries: list[Entry]) -> str:
    known = {
        "xl/workbook.xml": "xlsx",
        "xl/workbook.bin": "xlsb",
        "word/document.xml": "docx",
        "ppt/presentation.xml": "pptx",
    }
    names = {entry.name: entry for entry in entries}
    for member, name in known.items():
        if member in names:
            return name
    if any(name.startswith("xl/worksheets/") for name in names):
        return "xlsx"
    kind = head_of(path, names["mimetype"]).decode("ascii", "replace") if "mimetype" in names else ""
    if kind.startswith("application/vnd.oasis.opendocument."):
        return "ods" if kind.strip().endswith("spreadsheet") else "odt"
    return "zip"


def _ole_format(path: Path) -> str:
    """XLS, or another Office document of that time.

    The directory may lie anywhere in the file, but its entries start at multiples of 128 bytes with the
    stream's name in UTF-16 ([MS-CFB] 2.6.1), which tells them from the same word in the text.
    """
    with path.open("rb") as source:
        while chunk := source.read(MEGABYTE):
            if _has_stream(chunk, "EncryptedPackage"):
                raise UnreadableError(Problem("workbook-locked"))
            if _has_stream(chunk, "Workbook") or _has_stream(chunk, "Book"):
                return "xls"
    return "office"


def _has_stream(chunk: bytes, name: str) -> bool:
    mark = f"{name}\0".encode("utf-16-le")
    position = chunk.find(mark)
    while position >= 0:
        if position % _OLE_ENTRY == 0:
            return True
        position = chunk.find(mark, position + 1)
    return False
