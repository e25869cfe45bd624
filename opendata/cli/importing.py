"""`opendata import-catalogue`: thousands of datasets a second from one file, into database and index."""

from __future__ import annotations

import gc
import gzip
import io
import json
import sys
import time
import zlib
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast

import click

from opendata.accounts.policy import COMMAND_LINE
from opendata.catalogue.events import DATASET_CHANGED
from opendata.catalogue.importing import BATCH, ImportOptions, ImportSummary, lines_of
from opendata.catalogue.models import DatasetState
from opendata.catalogue_wiring import build_catalogue_parts, build_index_runner
from opendata.cli.language import speak
from opendata.kernel.errors import N_, UnavailableError
from opendata.kernel.i18n import LANGUAGES, translator
from opendata.kernel.outbox import count_waiting
from opendata.resources.meanings.search_phrases import SearchPhrases
from opendata.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opendata.catalogue.import_batch import RecordProblem, WrittenBatch
    from opendata.catalogue_wiring import CatalogueParts
    from opendata.search.preparing import Helpers

SHOWN_PROBLEMS: Final = 100
# In lines. Processes that index beside storing take a second to start, so it is looked ahead whether there are so
# many lines; of long lines fewer, not to fill the memory.
WORTH_INDEXING_BESIDE: Final = 4 * BATCH
MOST_AHEAD: Final = 64 << 20
POLL_SECONDS: Final = 0.2
WORKER_SECONDS: Final = 2.0
_GZIP: Final = b"\x1f\x8b"


@click.command(name="import-catalogue")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--agency", help="Publisher of the records that name none.")
@click.option(
    "--state",
    type=click.Choice([DatasetState.DRAFT.value, DatasetState.PUBLISHED.value]),
    default=DatasetState.PUBLISHED.value,
    show_default=True,
    help="State of new datasets whose record names none.",
)
@click.option("--dry-run", is_flag=True, help="Check every record and count, write nothing.")
@click.option(
    "--problems", type=click.File("w", encoding="utf-8"), help="Write all problems here, as JSON Lines."
)
def import_catalogue(
    file: str, agency: str | None, state: str, dry_run: bool, problems: IO[str] | None
) -> None:
    """Load dataset metadata in bulk: FILE has one JSON object a line in the shape of the API's dataset.

    The file may be compressed with gzip; “-” reads standard input. A dataset is known again by its id, its
    slug, or its publisher and identifier: running the same file twice changes nothing, and a run that was
    broken off is simply repeated. Wrong records are told by line and left out; the exit code is then 1.

    \b
    Example:  opendata import-catalogue catalogue.jsonl.gz --agency BTC --dry-run
    """
    parts = build_catalogue_parts(load_settings(), SearchPhrases())
    told = _Told(problems)
    options = ImportOptions(DatasetState(state), agency, dry_run)
    started = time.monotonic()
    with _opened(file) as stream, _few_collections(), ExitStack() as stack:
        lines = lines_of(stream)
        first = _ahead(lines)
        stored = _Stored(parts.catalogue_import.run(COMMAND_LINE, chain(first, lines), options, told))
        helpers = None
        if len(first) >= WORTH_INDEXING_BESIDE and not dry_run:
            helpers = _started(parts, stack)
        if helpers and _index_is_there(parts) and (batch := next(stored, None)) is not None:
            parts.indexing.run_beside(chain((batch,), stored), helpers)
        for _ in stored:
            pass
    summary = stored.summary
    if not dry_run:
        _index(parts, stored.batches)
    parts.close()
    _print_summary(summary, time.monotonic() - started, told, dry_run=dry_run)
    if summary.faulty:
        raise click.exceptions.Exit(1)


def _ahead(lines: Iterator[bytes]) -> list[bytes]:
    """The first lines: as many as are worth indexing beside storing, where there are so many."""
    taken: list[bytes] = []
    size = 0
    while (
        len(taken) < WORTH_INDEXING_BESIDE and size < MOST_AHEAD and (line := next(lines, None)) is not None
    ):
        taken.append(line)
        size += len(line)
    return taken


def _started(parts: CatalogueParts, stack: ExitStack) -> Helpers | None:
    """Before anything is asked of the database, so that they can be copies and need not load all again."""
    helpers = parts.indexing.helpers(copied=True)
    if helpers is not None:
        stack.enter_context(helpers).start()
    return helpers


def _index_is_there(parts: CatalogueParts) -> bool:
    """Made first where it is missing: a portal that was just set up has none, and can be indexed beside storing too."""
    try:
        parts.indexing.ensure_index()
    except UnavailableError:  # another process writes to it
        return False
    return True


class _Stored:
    """The batches of an import that wrote something, each stored when it is asked for; the sums so far."""

    def __init__(self, sums: Iterator[ImportSummary]) -> None:
        self._sums = sums
        self.summary = ImportSummary()
        self.batches = 0

    def __iter__(self) -> Iterator[WrittenBatch]:
        return self

    def __next__(self) -> WrittenBatch:
        while True:
            self.summary = next(self._sums)
            _show_progress(self.summary.records)
            if self.summary.last is not None:
                self.batches += 1
                return self.summary.last


@contextmanager
def _few_collections() -> Iterator[None]:
    """Records hold no rings: looking for some among all that is imported took a fifth of the time."""
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


class _Told:
    """Prints the first problems in both languages, and all of them into a file where one is given."""

    def __init__(self, report: IO[str] | None) -> None:
        self._report = report
        self._speakers = {language: translator(language) for language in LANGUAGES}
        self.lines = 0

    def __call__(self, problem: RecordProblem) -> None:
        self.lines += 1
        messages = {
            language: problem.error.message(speaker.gettext) for language, speaker in self._speakers.items()
        }
        if self._report is not None:
            row = {
                "line": problem.line,
                "code": problem.code,
                "field": problem.error.field,
                "message": messages,
            }
            self._report.write(json.dumps(row, ensure_ascii=False) + "\n")
        if self.lines <= SHOWN_PROBLEMS:
            field = f" {problem.error.field}:" if problem.error.field else ""
            click.echo(f"{problem.line} [{problem.code}]{field} {' / '.join(messages.values())}", err=True)


def _print_summary(summary: ImportSummary, seconds: float, told: _Told, *, dry_run: bool) -> None:
    say = speak()
    if told.lines > SHOWN_PROBLEMS:
        click.echo(
            say.gettext(N_("… and %(count)s more problems."), count=told.lines - SHOWN_PROBLEMS), err=True
        )
    line = say.gettext(
        N_("%(created)s new, %(changed)s changed, %(unchanged)s as they were, %(faulty)s with problems."),
        created=say.number(summary.created),
        changed=say.number(summary.changed),
        unchanged=say.number(summary.unchanged),
        faulty=say.number(summary.faulty),
    )
    click.echo(line)
    if dry_run:
        click.echo(say.gettext(N_("Nothing was written.")))
    else:
        rate = say.number(round(summary.records / max(seconds, 0.001)))
        took = say.number(round(seconds, 1))
        click.echo(say.gettext(N_("%(rate)s records a second, %(took)s seconds."), rate=rate, took=took))


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    """The bytes of the file, unpacked. What is wrong with the packing ends the command with a sentence."""
    with ExitStack() as stack:
        raw: io.BufferedReader[Any]
        if file == "-":
            raw = io.BufferedReader(cast("io.RawIOBase", sys.stdin.buffer))
        else:
            raw = stack.enter_context(Path(file).open("rb"))
        stream: IO[bytes] = raw
        if raw.peek(2)[:2] == _GZIP:
            stream = cast("IO[bytes]", stack.enter_context(gzip.GzipFile(fileobj=raw)))
        try:
            yield stream
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            template = N_("The compressed file is damaged or cut off; what came before is imported.")
            raise click.ClickException(speak().gettext(template)) from error


def _show_progress(records: int) -> None:
    """A line that is written over on a terminal; elsewhere one every fifty batches."""
    if sys.stderr.isatty():
        click.echo(f"\r  {speak().number(records)}", nl=False, err=True)
    elif records % (BATCH * 50) < BATCH:
        click.echo(f"  {speak().number(records)}", err=True)


def _index(parts: CatalogueParts, batches: int) -> None:
    """Until the index has everything: a worker that runs sees to it, else it is done here.

    A worker would have taken some of the `batches` meanwhile; one that stopped is not waited for.
    """
    runner = build_index_runner(parts)
    waiting = _waiting(parts)
    patience = time.monotonic() + (0 if waiting >= batches else WORKER_SECONDS)
    while waiting:
        if time.monotonic() < patience or not runner.run():
            time.sleep(POLL_SECONDS)
        now = _waiting(parts)
        if now < waiting and time.monotonic() < patience:
            patience = time.monotonic() + WORKER_SECONDS
        waiting = now


def _waiting(parts: CatalogueParts) -> int:
    with parts.database.reading() as session:
        return count_waiting(session, DATASET_CHANGED)


COMMANDS = (import_catalogue,)
