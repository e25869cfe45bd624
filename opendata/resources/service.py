"""Uploaded files: the only writes to resources and their versions, but for what the ingest job finishes.

Bytes are on disk before the row that points at them is committed; the answer to an upload comes after
both. The published version keeps serving until a new one has passed every stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select

from opendata.accounts import audit
from opendata.accounts.policy import Permission
from opendata.catalogue.events import dataset_changed
from opendata.catalogue.service import editable
from opendata.kernel.errors import (
    N_,
    ConflictError,
    FieldError,
    InvalidInputError,
    NotFoundError,
    PortalError,
    UnauthenticatedError,
)
from opendata.kernel.ids import utc_now
from opendata.kernel.storage import StoredFile
from opendata.kernel.text import clean_line, clean_text
from opendata.resources.events import resource_received
from opendata.resources.formats.corrections import Corrections
from opendata.resources.ingest.problems import Problem
from opendata.resources.ingest.result import FaultyRows
from opendata.resources.models import IN_WORK, PublishedTable, Resource, ResourceVersion, VersionState
from opendata.resources.newest import newest_version
from opendata.resources.publishing import lock_version, swing_pointer

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from opendata.accounts.policy import Actor
    from opendata.catalogue.models import Dataset
    from opendata.kernel.db import Database, UnitOfWork
    from opendata.kernel.storage import FileStore, Readable

LONGEST_FILENAME = 200
LONGEST_ENDING = 20
LONGEST_TITLE = 300
_SCHEMAS_LOOKED_AT = 20


class Decision(StrEnum):
    """What a person can decide about a version that is held for its personal data."""

    RELEASE = "release"
    TURN_DOWN = "turn-down"


class EmptyFileError(PortalError):
    code = "empty-file"
    status = 422
    template = N_("The file is empty (0 bytes). Choose the file again, or check that it was saved.")


class StillProcessedError(ConflictError):
    code = "still-processed"
    template = N_("The newest version is still being processed. Wait until it is finished.")


class NotHeldError(ConflictError):
    code = "not-held"
    template = N_("This version waits for no decision (any more).")


@dataclass(frozen=True, slots=True)
class Upload:
    """What a person sends: the bytes, their name, and what they say about them.

    `table_schema`: without one a new version keeps that of the version before; one without fields drops it.
    """

    stream: Readable
    filename: str
    title: Mapping[str, str] | None = None
    description: Mapping[str, str] | None = None
    table_schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Received:
    dataset_slug: str
    resource_id: str
    version_id: str


class ResourceService:
    """`upload_limit` in bytes."""

    def __init__(
        self,
        database: Database,
        store: FileStore,
        upload_limit: int,
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self._database = database
        self._store = store
        self._limit = upload_limit
        self._clock = clock

    def add_resource(self, actor: Actor, dataset_key: str, upload: Upload) -> Received:
        """Take a new file into a dataset. Raises EmptyFileError, TooLargeError, NotFoundError, ForbiddenError."""
        with self._database.reading() as session:
            editable(session, actor, dataset_key, Permission.EDIT_DATASETS, for_change=False)
        stored = self._keep(upload)
        name = clean_filename(upload.filename)
        with self._database.unit_of_work() as unit:
            dataset = editable(unit.session, actor, dataset_key, Permission.EDIT_DATASETS)
            last = unit.session.scalar(
                select(func.max(Resource.position)).where(Resource.dataset_id == dataset.id)
            )
            resource = Resource(
                dataset_id=dataset.id,
                title=_clean_title(upload.title) or {"vi": PurePosixPath(name).stem},
                description=_clean_title(upload.description, clean_text),
                position=(last or 0) + 1,
                created_at=self._clock(),
            )
            unit.session.add(resource)
            unit.session.flush()
            schema = _usable(upload.table_schema)
            version = self._add_version(unit, actor, resource, (name, stored, schema))
            return Received(dataset.slug, resource.id, version.id)

    def replace_file(self, actor: Actor, resource_id: str, upload: Upload) -> Received:
        """Take a new version of a file; the current one serves until the new one is published."""
        with self._database.reading() as session:
            editable_resource(session, actor, resource_id, for_change=False)
        stored = self._keep(upload)
        with self._database.unit_of_work() as unit:
            resource, slug = editable_resource(unit.session, actor, resource_id)
            kept = None if upload.table_schema else _schema_before(unit.session, resource.id)
            schema = kept or _usable(upload.table_schema)
            name = clean_filename(upload.filename)
            version = self._add_version(unit, actor, resource, (name, stored, schema))
            return Received(slug, resource.id, version.id)

    def read_again(
        self,
        actor: Actor,
        resource_id: str,
        corrections: Mapping[str, Any] | None = None,
        faulty_rows: str = FaultyRows.REFUSE,
    ) -> Received:
        """Take the newest upload once more, as a new version, read in another way.

        `corrections` (JSON of `formats.corrections`; None keeps those there are) stay with the resource and
        hold for its later versions; `faulty_rows` holds for this version alone. Raises InvalidInputError.
        """
        wanted = _checked_corrections(corrections)
        if faulty_rows not in set(FaultyRows):
            reason = ", ".join(FaultyRows)
            raise InvalidInputError(
                FieldError("faulty_rows", N_("Choose one of: %(known)s."), {"known": reason})
            )
        with self._database.unit_of_work() as unit:
            resource, slug = editable_resource(unit.session, actor, resource_id)
            latest = unit.session.scalars(newest_version(resource.id)).one()
            if latest.state in IN_WORK:
                raise StillProcessedError
            if wanted is not None:
                resource.corrections = wanted
                audit.record(
                    unit, actor, "resource.correct", ("resource", resource.id), {"corrections": wanted}
                )
            stored = StoredFile(latest.sha256, latest.size)
            schema = latest.given_schema
            version = self._add_version(unit, actor, resource, (latest.filename, stored, schema))
            version.faulty_rows = FaultyRows(faulty_rows)
            return Received(slug, resource.id, version.id)

    def decide(self, actor: Actor, resource_id: str, number: int, decision: str) -> None:
        """Release or turn down a held version, as pages and the API ask for it by name.

        Raises InvalidInputError for a word that is no `Decision`, and what those two raise.
        """
        if decision not in set(Decision):
            known = ", ".join(Decision)
            raise InvalidInputError(FieldError("decision", N_("Choose one of: %(known)s."), {"known": known}))
        settle = self.release if decision == Decision.RELEASE else self.turn_down
        settle(actor, resource_id, number)

    def release(self, actor: Actor, resource_id: str, number: int) -> None:
        """Publish a version that was held for its personal data: the actor answers for it.

        Raises ForbiddenError, NotFoundError, NotHeldError.
        """
        with self._database.unit_of_work() as unit:
            dataset, resource, version = _held(unit.session, actor, resource_id, number)
            actor.require(Permission.RELEASE_PERSONAL_DATA, dataset.agency_code)
            now = self._clock()
            version.state, version.finished_at = VersionState.PUBLISHED, now
            version.decided_by = actor.name
            audit.record(unit, actor, "resource.release", ("resource", resource.id), {"version": number})
            swing_pointer(unit, dataset, resource, version, now)

    def turn_down(self, actor: Actor, resource_id: str, number: int) -> None:
        """End a held version: it is not published, and its tables are dropped. Raises as `release`."""
        with self._database.unit_of_work() as unit:
            _, resource, version = _held(unit.session, actor, resource_id, number)
            version.state, version.finished_at = VersionState.FAILED, self._clock()
            version.decided_by = actor.name
            version.problems = [*version.problems, Problem("personal-data-kept-back").to_json()]
            unit.session.execute(delete(PublishedTable).where(PublishedTable.version_id == version.id))
            audit.record(unit, actor, "resource.turn-down", ("resource", resource.id), {"version": number})

    def describe_resource(
        self,
        actor: Actor,
        resource_id: str,
        title: Mapping[str, str] | None,
        description: Mapping[str, str] | None,
    ) -> None:
        """Change title or description; None keeps what is there."""
        with self._database.unit_of_work() as unit:
            resource, _ = editable_resource(unit.session, actor, resource_id)
            resource.title = _clean_title(title) or resource.title
            if description is not None:
                resource.description = _clean_title(description, clean_text)
            audit.record(unit, actor, "resource.describe", ("resource", resource.id))
            unit.emit(dataset_changed(resource.dataset_id))

    def delete_resource(self, actor: Actor, resource_id: str) -> None:
        """Take a file and its versions out of the dataset. The bytes stay in the store."""
        with self._database.unit_of_work() as unit:
            resource, _ = editable_resource(unit.session, actor, resource_id)
            resource.current_version_id = None
            unit.session.flush()
            unit.session.delete(resource)
            audit.record(
                unit, actor, "resource.delete", ("resource", resource.id), {"dataset": resource.dataset_id}
            )
            unit.emit(dataset_changed(resource.dataset_id))

    def _keep(self, upload: Upload) -> StoredFile:
        first = upload.stream.read(1)
        if not first:
            raise EmptyFileError
        return self._store.put(_Rejoined(first, upload.stream), limit=self._limit)

    def _add_version(
        self,
        unit: UnitOfWork,
        actor: Actor,
        resource: Resource,
        sent: tuple[str, StoredFile, dict[str, Any] | None],
    ) -> ResourceVersion:
        filename, stored, schema = sent
        last = unit.session.scalar(
            select(func.max(ResourceVersion.number)).where(ResourceVersion.resource_id == resource.id)
        )
        version = ResourceVersion(
            resource_id=resource.id,
            number=(last or 0) + 1,
            state=VersionState.RECEIVED,
            filename=filename,
            sha256=stored.sha256,
            size=stored.size,
            progress_total=stored.size,
            created_at=self._clock(),
            created_by=actor.name,
            given_schema=schema,
            corrections=resource.corrections,
        )
        unit.session.add(version)
        unit.session.flush()
        details = {"version": version.number, "sha256": stored.sha256, "size": stored.size}
        audit.record(unit, actor, "resource.upload", ("resource", resource.id), details)
        unit.emit(resource_received(version.id))
        return version


def _usable(schema: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return dict(schema) if schema and schema.get("fields") else None


def _schema_before(session: Session, resource_id: str) -> dict[str, Any] | None:
    """The Table Schema that a new version keeps: of the newest one whose schema itself was not refused."""
    versions = session.scalars(
        select(ResourceVersion)
        .where(ResourceVersion.resource_id == resource_id)
        .order_by(ResourceVersion.number.desc())
        .limit(_SCHEMAS_LOOKED_AT)
    )
    usable = (version for version in versions if not _is_schema_refused(version))
    return next((version.given_schema for version in usable), None)


def _is_schema_refused(version: ResourceVersion) -> bool:
    return any(str(problem.get("code")).startswith("schema-") for problem in version.problems)


class _Rejoined:
    """A stream with its first bytes put back."""

    def __init__(self, first: bytes, rest: Readable) -> None:
        self._first = first
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        return self._rest.read(size)


def editable_resource(
    session: Session, actor: Actor, resource_id: str, *, for_change: bool = True
) -> tuple[Resource, str]:
    """The resource and its dataset's slug, for changing it. Raises NotFoundError, ForbiddenError.

    Its dataset is what is locked with `for_change`: whoever changes any of its files takes turns.
    """
    if not actor.is_known:
        raise UnauthenticatedError
    resource = session.get(Resource, resource_id)
    if resource is None:
        raise NotFoundError
    key = resource.dataset_id
    dataset = editable(session, actor, key, Permission.EDIT_DATASETS, for_change=for_change)
    # As it is now that nobody else changes it, if it is still there.
    resource = session.get(Resource, resource_id, populate_existing=True)
    if resource is None:
        raise NotFoundError
    return resource, dataset.slug


def _held(
    session: Session, actor: Actor, resource_id: str, number: int
) -> tuple[Dataset, Resource, ResourceVersion]:
    editable_resource(session, actor, resource_id)
    version_id = session.scalar(
        select(ResourceVersion.id).where(
            ResourceVersion.resource_id == resource_id, ResourceVersion.number == number
        )
    )
    if version_id is None:
        raise NotFoundError
    found = lock_version(session, version_id)
    if found is None or found[2].state != VersionState.HELD:
        raise NotHeldError
    return found


def _checked_corrections(corrections: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if corrections is None:
        return None
    try:
        return Corrections.from_json(dict(corrections)).to_json()
    except ValueError as error:
        message = N_("The corrections cannot be used: %(reason)s.")
        raise InvalidInputError(FieldError("corrections", message, {"reason": str(error)})) from error


def clean_filename(name: str) -> str:
    """The last part of whatever path a browser sent, without control characters, its ending kept."""
    plain = clean_line(name.replace("\\", "/").rpartition("/")[2]).strip(". ") or "file"
    path = PurePosixPath(plain)
    return path.stem[: LONGEST_FILENAME - LONGEST_ENDING] + path.suffix[:LONGEST_ENDING]


def _clean_title(text: Mapping[str, str] | None, clean: Callable[[str], str] = clean_line) -> dict[str, str]:
    cleaned = {
        lang: clean(value)[: LONGEST_TITLE if clean is clean_line else None]
        for lang, value in (text or {}).items()
    }
    return {lang: value for lang, value in cleaned.items() if value}
