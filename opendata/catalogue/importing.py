"""Bulk loading of dataset metadata: `opendata import-catalogue`, a migration or a harvest in one file.

A line is a dataset in the shape of the API. Each goes through the metadata profile like any other way in; what
is wrong is told by line and does not stop the others. A batch of lines is one unit of work: datasets, their
history, one audit row and one outbox row. A run that was killed is repeated: what is there already, known by
its id, its slug, or its publisher and identifier, is left as it is or brought up to date.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from opendata.accounts.models import Agency
from opendata.catalogue.import_batch import TWICE, ImportBatch, ImportRecord, RecordProblem, WrittenBatch
from opendata.catalogue.models import DatasetState
from opendata.kernel.errors import N_, ConflictError, FieldError
from opendata.kernel.i18n import VIETNAM_TIME
from opendata.kernel.ids import id_of_bytes, is_id, utc_now
from opendata.kernel.text import slugify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from opendata.accounts.policy import Actor, Permission
    from opendata.catalogue.profile import MetadataProfile
    from opendata.kernel.db import Database

BATCH: Final = 1000
LONGEST_LINE: Final = 1 << 20
_TRIES: Final = 3
# What the API answers about a dataset beside its metadata; a record taken from there may keep it.
ANSWERED: Final = frozenset(
    {
        "revision", "labels", "freshness", "created_at", "modified_at", "published_at", "downloads", "views",
        "page_url", "api_url", "resources",
    }
)  # fmt: skip
_decode = json.JSONDecoder().decode
_PLAIN: Final = frozenset({b'{"', b"{ "})  # beginnings of a record in UTF-8
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_SLUG: Final = 100


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """`state` of new datasets whose record names none; `agency` the publisher of records that name none."""

    state: DatasetState = DatasetState.PUBLISHED
    agency: str | None = None
    dry_run: bool = False


@dataclass(slots=True)
class ImportSummary:
    """Numbers of records, and what the last batch wrote; None where that was nothing."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    faulty: int = 0
    last: WrittenBatch | None = None

    @property
    def records(self) -> int:
        return self.created + self.changed + self.unchanged + self.faulty


@dataclass(slots=True)
class _Run:
    """What one import remembers: who may, which agencies there are, which records there were."""

    actor: Actor
    options: ImportOptions
    agencies: frozenset[str]
    tell: Callable[[RecordProblem], None]
    now: dt.datetime
    summary: ImportSummary = field(default_factory=ImportSummary)
    seen: set[int] = field(default_factory=set)
    rights: dict[tuple[Permission, str], bool] = field(default_factory=dict)

    def may(self, permission: Permission, agency: str) -> bool:
        key = (permission, agency)
        if key not in self.rights:
            self.rights[key] = self.actor.may(permission, agency)
        return self.rights[key]


class CatalogueImport:
    def __init__(
        self, database: Database, profile: MetadataProfile, clock: Callable[[], dt.datetime] = utc_now
    ) -> None:
        self._database = database
        self._profile = profile
        self._clock = clock

    def run(
        self,
        actor: Actor,
        lines: Iterable[bytes],
        options: ImportOptions,
        tell: Callable[[RecordProblem], None],
    ) -> Iterator[ImportSummary]:
        """Import line by line; yields the sums so far after each batch that is in the database.

        `tell` hears of each wrong record, `line` counted from 1. Raises what the database raises; batches
        yielded before are kept.
        """
        with self._database.reading() as session:
            agencies = frozenset(session.scalars(select(Agency.code)))
        run = _Run(actor, options, agencies, tell, self._clock())
        records = self._records(run, lines)
        while batch := list(islice(records, BATCH)):
            self._store(run, batch)
            yield run.summary
        run.summary.last = None
        yield run.summary

    def _store(self, run: _Run, batch: list[ImportRecord]) -> None:
        """One unit of work; again where somebody saved one of these datasets at the same moment."""
        for attempt in range(_TRIES):
            planned = ImportBatch(run.actor, run.may, self._clock())
            try:
                if run.options.dry_run:
                    with self._database.reading() as session:
                        planned.plan(session, batch)
                else:
                    with self._database.unit_of_work() as unit:
                        planned.plan(unit.session, batch, for_change=True)
                        planned.store(unit)
                break
            except ConflictError:
                if attempt == _TRIES - 1:
                    raise
        run.summary.last = planned.written()
        run.summary.created += len(planned.created)
        run.summary.changed += len(planned.changed)
        run.summary.unchanged += planned.unchanged
        run.summary.faulty += len(planned.problems)
        for problem in planned.problems:
            run.tell(problem)

    def _records(self, run: _Run, lines: Iterable[bytes]) -> Iterator[ImportRecord]:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            found = self._read(run, number, line)
            if isinstance(found, ImportRecord):
                yield found
                continue
            run.summary.faulty += 1
            for problem in found:
                run.tell(problem)

    def _read(self, run: _Run, line: int, content: bytes) -> ImportRecord | list[RecordProblem]:
        """The record of a line, or all that is wrong with it."""
        given = _parsed(content)
        if isinstance(given, FieldError):
            return [RecordProblem(line, "unreadable-record", given)]
        own_id, slug, state = given.pop("id", None), given.pop("slug", None), given.pop("state", None)
        modified_at = given.get("modified_at")
        if run.options.agency and not given.get("publisher"):
            given["publisher"] = run.options.agency
        for name in ANSWERED & given.keys():
            del given[name]
        fields, errors = self._profile.clean(given)
        problems = [RecordProblem(line, "invalid-input", error) for error in errors]
        problems += [RecordProblem(line, code, error) for code, error in _wrong_keys(own_id, slug, state)]
        publisher = fields.get("publisher")
        if publisher and publisher not in run.agencies:
            error = FieldError(
                "publisher", N_("This portal knows no agency “%(code)s”."), {"code": publisher}
            )
            problems.append(RecordProblem(line, "unknown-agency", error))
        if problems:
            return problems
        known_by = (own_id or slug) or f"{publisher}\n{fields.get('identifier') or fields['title']}"
        if (known := hash(known_by)) in run.seen:
            return [RecordProblem(line, "twice", FieldError("", TWICE))]
        run.seen.add(known)
        dataset_id = own_id or id_of_bytes(hashlib.sha256(f"import\n{known_by}".encode()).digest())
        title = fields["title"]
        return ImportRecord(
            line=line,
            id=dataset_id,
            has_own_id=own_id is not None,
            slug=slug,
            wished_slug=slug or slugify(title.get("vi") or title.get("en") or "") or "dataset",
            fields=fields,
            state=DatasetState(state) if state else run.options.state,
            modified_at=min(_modified_at(modified_at, fields.get("modified"), run.now), run.now),
        )


def lines_of(stream: Any) -> Iterator[bytes]:
    """The lines of a binary stream; of one that is longer than any record only the beginning."""
    while line := stream.readline(LONGEST_LINE + 1):
        yield line
        while len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_LINE + 1)
            if not line:
                return


def _parsed(content: bytes) -> dict[str, Any] | FieldError:
    if len(content) > LONGEST_LINE:
        return FieldError("", N_("The line is longer than %(limit)s."), {"limit": "1 MB"})
    try:
        # json.loads would look for UTF-16 and for a mark at the beginning.
        given = (
            _decode(content.decode("utf-8", "surrogatepass"))
            if content[:2] in _PLAIN
            else json.loads(content)
        )
    except (ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        return FieldError("", N_("The line is not JSON: %(reason)s."), {"reason": reason})
    if not isinstance(given, dict):
        return FieldError("", N_("The line is not a JSON object of a dataset, {“title”: …}."))
    return given


def _wrong_keys(own_id: object, slug: object, state: object) -> Iterator[tuple[str, FieldError]]:
    if own_id is not None and not (isinstance(own_id, str) and is_id(own_id)):
        yield (
            "invalid-input",
            FieldError(
                "id", N_("An id has 26 characters, as this portal gives them; leave it out otherwise.")
            ),
        )
    if slug is not None and not (
        isinstance(slug, str) and len(slug) <= _LONGEST_SLUG and _SLUG.fullmatch(slug)
    ):
        shown = slugify(slug) if isinstance(slug, str) else ""
        template = N_("An address has only a–z, 0–9 and hyphens, for example “%(slug)s”.")
        yield "invalid-input", FieldError("slug", template, {"slug": shown or "dataset"})
    if state is not None and state not in tuple(DatasetState):
        template = N_("A state is one of: %(known)s.")
        yield "invalid-input", FieldError("state", template, {"known": ", ".join(DatasetState)})


def _modified_at(moment: object, day: str | None, now: dt.datetime) -> dt.datetime:
    """When the dataset last changed where it comes from: said by the API's answer, or by its metadata."""
    if isinstance(moment, str):
        try:
            told = dt.datetime.fromisoformat(moment)
        except ValueError:
            return now
        return told if told.tzinfo else told.replace(tzinfo=dt.UTC)
    return _beginning(day) if day else now


@lru_cache(maxsize=4096)
def _beginning(day: str) -> dt.datetime:
    return dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), tzinfo=VIETNAM_TIME).astimezone(dt.UTC)
