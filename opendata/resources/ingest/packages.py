"""Files checked together: tables of a data package whose foreign keys refer to each other.

Called by `opendata validate`. The descriptor is data of a stranger: of its paths only the file name counts, to
find which of the files at hand is meant; schemas must be written out in it, for nothing is fetched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opendata.resources.formats.readers import READERS
from opendata.resources.formats.table import SourceTable
from opendata.resources.ingest.frictionless_checks import MOST_ERRORS
from opendata.resources.ingest.identify import identify
from opendata.resources.ingest.inspection import UnreadableFileError, validate_file
from opendata.resources.ingest.problems import Problem, UnreadableError, shown
from opendata.resources.ingest.report import joined_report
from opendata.resources.ingest.whole_files import NamedTable, validate_package, validate_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MOST_RESOURCES: Final = 1000


def check_file(
    path: Path, table_schema: Mapping[str, Any] | None = None, limit_errors: int = MOST_ERRORS
) -> dict[str, Any]:
    """The report of one file: a plain one as frictionless reads it, any other as the portal would.

    Raises UnreadableFileError.
    """
    if table_schema is None:
        return validate_file(path, None, limit_errors)
    try:
        delimiter = _delimiter_of_plain(path)
        if delimiter is None:
            return validate_file(path, table_schema, limit_errors)
        report = validate_table(
            path, table_schema, encoding="utf-8", delimiter=delimiter, limit_errors=limit_errors
        )
    except UnreadableError as error:
        raise UnreadableFileError(error.problem) from error
    if report["valid"]:
        return report
    # Notes below a table are no rows of it: the portal leaves them out, frictionless does not.
    ours = validate_file(path, table_schema, limit_errors)
    return ours if ours["stats"]["errors"] < report["stats"]["errors"] else report


def check_package(
    descriptor: Mapping[str, Any], files: Sequence[Path], limit_errors: int = MOST_ERRORS
) -> dict[str, Any]:
    """The report of files that a data package describes. Raises UnreadableFileError."""
    try:
        tables = tables_of_package(descriptor, files)
        plain = [table for table in tables if table.delimiter is not None]
        reports = [validate_package(plain, limit_errors=limit_errors)] if plain else []
        others = [table for table in tables if table.delimiter is None]
    except UnreadableError as error:
        raise UnreadableFileError(error.problem) from error
    reports += [validate_file(table.path, table.schema, limit_errors) for table in others]
    return joined_report(reports)


def tables_of_package(descriptor: Mapping[str, Any], files: Sequence[Path]) -> list[NamedTable]:
    """The files with name and schema, plain ones with their delimiter. Raises UnreadableError."""
    resources = descriptor.get("resources")
    if not isinstance(resources, list) or len(resources) > MOST_RESOURCES:
        raise UnreadableError(Problem("package-no-resources"))
    tables = []
    for path in files:
        found = next((each for each in resources if _means(each, path)), None)
        schema = found.get("schema") if found else None
        if found is None or not isinstance(schema, dict):
            raise UnreadableError(Problem("package-without-file", {"file": shown(path.name)}))
        name = found.get("name") if isinstance(found.get("name"), str) and found["name"] else path.stem
        delimiter = _delimiter_of_plain(path)
        tables.append(NamedTable(name, path, schema, "utf-8" if delimiter else None, delimiter))
    if len({table.name for table in tables}) != len(tables):
        raise UnreadableError(Problem("package-no-resources"))
    return tables


def _means(resource: Any, path: Path) -> bool:
    """Whether a resource of a package is this file."""
    if not isinstance(resource, dict):
        return False
    where = resource.get("path")
    return isinstance(where, str) and where.replace("\\", "/").rsplit("/", 1)[-1] == path.name


def _delimiter_of_plain(path: Path) -> str | None:
    """The separator of a UTF-8 file that begins with its header; None for any other file."""
    found = identify(path, path.name)
    if found.format not in {"csv", "tsv"} or found.encoding != "utf-8" or found.dialect is None:
        return None
    table = next(READERS[found.format](path, found), None)
    if not isinstance(table, SourceTable) or table.header_row != 1 or table.problems:
        return None
    return found.dialect.delimiter
