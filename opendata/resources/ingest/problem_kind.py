"""What a problem code means: its title, its sentence and what to do about it; and names used in sentences.

The codes themselves are in the modules `kinds_of_…`, all of them together in `problem_kinds`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opendata.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ProblemKind:
    code: str
    severity: str
    title: str
    sentence: str
    advice: str


FORMAT_NAMES: Final[Mapping[str, str]] = {
    "csv": N_("CSV text"),
    "tsv": N_("tab-separated text"),
    "xlsx": N_("Excel workbook (XLSX)"),
    "xls": N_("Excel 97–2003 workbook (XLS)"),
    "xlsb": N_("binary Excel workbook (XLSB)"),
    "ods": N_("OpenDocument spreadsheet (ODS)"),
    "json": N_("JSON"),
    "jsonl": N_("JSON Lines"),
    "geojson": N_("GeoJSON map data"),
    "parquet": N_("Parquet"),
    "text": N_("plain text"),
    "html": N_("web page (HTML)"),
    "xml": N_("XML document"),
    "pdf": N_("PDF document"),
    "docx": N_("Word document"),
    "pptx": N_("presentation"),
    "odt": N_("OpenDocument text"),
    "office": N_("document of an older Office version"),
    "zip": N_("ZIP archive"),
    "gzip": N_("gzip archive"),
    "archive": N_("archive"),
    "png": N_("PNG image"),
    "jpeg": N_("JPEG image"),
    "gif": N_("GIF image"),
    "tiff": N_("TIFF image"),
    "webp": N_("WebP image"),
    "svg": N_("SVG drawing"),
    "audio": N_("sound recording"),
    "video": N_("video"),
    "sqlite": N_("SQLite database"),
    "arrow": N_("Arrow file"),
    "binary": N_("file of an unknown binary kind"),
}

TYPE_NAMES: Final[Mapping[str, str]] = {
    "boolean": N_("true or false"),
    "date": N_("dates"),
    "datetime": N_("dates with a time"),
    "integer": N_("whole numbers"),
    "number": N_("numbers"),
}
