"""Looking at files without a portal: inspect, validate, convert.

Each file is read in a child process under limits and without network, as in the portal: what is asked about on
the command line is often what a stranger sent.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opendata.cli.language import speak
from opendata.cli.schema_files import SCHEMA_OPTION, read_schema
from opendata.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opendata.kernel.i18n import Translator
    from opendata.resources.ingest.inspection import Inspection, TableOutline

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
INVALID, UNREADABLE = 1, 2
LINE_ENDS = {"\n": "LF", "\r\n": "CRLF", "\r": "CR"}


@click.command()
@click.argument("file", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print everything known as JSON.")
def inspect(file: Path, as_json: bool) -> None:
    """What FILE is: encoding, dialect, tables, columns with types and meanings, and what was noticed.

    \b
    Example:  opendata inspect messy.csv
    """
    from opendata.resources.ingest.limited_inspection import limited_inspection

    found = limited_inspection(file)
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
        return
    for line in _described(found, speak()):
        click.echo(line)


@click.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
@SCHEMA_OPTION
@click.option("--json", "as_json", is_flag=True, help="Print the frictionless report as JSON.")
@click.option(
    "--limit-errors", type=click.IntRange(1, 1000), default=100, help="Stop after this many errors."
)
def validate(files: tuple[Path, ...], schema_path: Path | None, as_json: bool, limit_errors: int) -> None:
    """Check FILES as the portal would. Exit code 0: valid, 1: invalid, 2: cannot be read.

    With a data package (datapackage.json) as the schema, FILES are its tables and are checked together.

    \b
    Example:  opendata validate budget.csv --schema budget.schema.json
              opendata validate units.csv staff.csv --schema datapackage.json
    """
    from opendata.resources.ingest.inspection import UnreadableFileError
    from opendata.resources.ingest.limited_inspection import limited_check, limited_package_check
    from opendata.resources.ingest.report import joined_report

    reports: list[dict[str, Any]] = []
    unreadable = False
    package = _read_package(schema_path) if schema_path else None
    if package is not None:
        try:
            reports.append(limited_package_check(package, files, limit_errors))
        except UnreadableFileError as error:
            click.echo(f"{schema_path}: {error.message(speak().gettext)}", err=True)
            raise click.exceptions.Exit(UNREADABLE) from error
    else:
        schema = read_schema(schema_path) if schema_path else None
        for file in files:
            try:
                reports.append(limited_check(file, schema, limit_errors))
            except UnreadableFileError as error:
                click.echo(f"{file}: {error.message(speak().gettext)}", err=True)
                unreadable = True
    report = reports[0] if len(reports) == 1 else joined_report(reports)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        _print_report(report)
    raise click.exceptions.Exit(UNREADABLE if unreadable else 0 if report["valid"] else INVALID)


@click.command()
@click.argument("file", type=FILE)
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--table", help="Name of the table, for a file with several; the first one otherwise.")
def convert(file: Path, out: Path, table: str | None) -> None:
    """Write the table of FILE as the portal would publish it; OUT ends in .csv, .parquet, .arrow or .jsonl.

    \b
    Example:  opendata convert budget.xlsx budget.parquet
    """
    from opendata.tabular.conversion import convert_file

    count = convert_file(file, out, table)
    say = speak()
    click.echo(
        say.ngettext("%(count)s row written to %(out)s", "%(count)s rows written to %(out)s", count, out=out)
    )


def _described(found: Inspection, say: Translator) -> Iterator[str]:
    what = found.identification
    yield f"{say.gettext(N_('Format'))}: {what.format} ({what.media_type}), {say.size(what.size)}"
    if what.encoding:
        yield f"{say.gettext(N_('Encoding'))}: {what.encoding}"
    if what.dialect:
        end = LINE_ENDS.get(what.dialect.line_end, what.dialect.line_end)
        yield f"{say.gettext(N_('Separator'))}: {what.dialect.delimiter!r}, {say.gettext(N_('line end'))}: {end}"
    for problem in (found.no_table_reason, *found.problems):
        if problem is not None:
            yield f"- {problem.message(say.gettext)}"
    for table in found.tables:
        yield from _outlined(table, say)


def _outlined(table: TableOutline, say: Translator) -> Iterator[str]:
    from opendata.resources.meanings.registry import MEANINGS

    yield ""
    rows = say.ngettext("%(count)s row", "%(count)s rows", table.row_count)
    header = f", {say.gettext(N_('header in row'))} {table.header_row}" if table.header_row else ""
    yield f"{table.title} [{table.name}]: {rows}{header}"
    for column in table.columns:
        shape = "" if column.format == "default" else f" {column.format}"
        known = MEANINGS.get(column.meaning or "")
        meaning = f" – {say.gettext(known.title)}" if known else ""
        unit = f" [{column.description}]" if column.description else ""
        yield f"  {column.name}{unit}: {column.type}{shape}{meaning}"
        for note in column.notes:
            yield f"    {note.message(say.gettext)}"
    for problem in table.problems:
        yield f"  - {problem.message(say.gettext)}"


def _read_package(path: Path) -> dict[str, Any] | None:
    """The descriptor where the file is a data package, None for anything else."""
    try:
        descriptor = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:  # said by `read_schema`, which reads it next
        return None
    return descriptor if isinstance(descriptor, dict) and "resources" in descriptor else None


def _print_report(report: dict[str, Any]) -> None:
    say = speak()
    for task in report["tasks"]:
        verdict = say.gettext(N_("valid")) if task["valid"] else say.gettext(N_("invalid"))
        click.echo(f"{task['place']}: {verdict}")
        for message in [*(error["message"] for error in task["errors"]), *task["warnings"]]:
            click.echo(f"  {message}")


COMMANDS = (inspect, validate, convert)
