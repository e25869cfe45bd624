"""Datasets: the only writes to the catalogue. Used by the API, the pages, the CLI and the seed alike."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from opendata.accounts import audit
from opendata.accounts.models import Agency
from opendata.accounts.policy import Permission
from opendata.catalogue.events import dataset_changed
from opendata.catalogue.models import Dataset, DatasetRevision, DatasetState
from opendata.catalogue.policy import can_view_dataset
from opendata.kernel.errors import (
    N_,
    ConflictError,
    FieldError,
    InvalidInputError,
    NotFoundError,
    UnauthenticatedError,
)
from opendata.kernel.ids import utc_now
from opendata.kernel.text import slugify

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from opendata.accounts.policy import Actor
    from opendata.catalogue.profile import MetadataProfile
    from opendata.kernel.db import Database, UnitOfWork


class SlugTakenError(ConflictError):
    code = "slug-taken"
    template = N_("There is a dataset at the address “%(slug)s” already. Choose another one.")


class NotADraftError(ConflictError):
    code = "not-a-draft"
    template = N_("Only a draft can be deleted. Withdraw a published dataset instead: its address stays.")


class RevisionConflictError(ConflictError):
    code = "revision-conflict"
    template = N_("Someone saved this dataset meanwhile (revision %(current)s). Load it again, then save.")


class CatalogueService:
    def __init__(
        self, database: Database, profile: MetadataProfile, clock: Callable[[], dt.datetime] = utc_now
    ) -> None:
        self._database = database
        self._profile = profile
        self._clock = clock

    def create_dataset(
        self,
        actor: Actor,
        metadata: Mapping[str, Any],
        *,
        slug: str | None = None,
        publish_when_ready: bool = False,
    ) -> Dataset:
        """A draft of `metadata["publisher"]`. With `publish_when_ready` it goes public with its first file.

        Raises InvalidInputError naming each wrong field, SlugTakenError, ForbiddenError.
        """
        fields = self._checked(metadata)
        actor.require(Permission.EDIT_DATASETS, fields["publisher"])
        if publish_when_ready:
            actor.require(Permission.PUBLISH_DATASETS, fields["publisher"])
        now = self._clock()
        with self._database.unit_of_work() as unit:
            _require_agency(unit.session, fields["publisher"])
            dataset = Dataset(
                slug=_free_slug(unit.session, slug, fields["title"]),
                state=DatasetState.DRAFT,
                publish_when_ready=publish_when_ready,
                fields=fields,
                agency_code=fields["publisher"],
                created_at=now,
                modified_at=now,
            )
            unit.session.add(dataset)
            unit.session.flush()
            self._keep_revision(unit, actor, dataset)
            audit.record(unit, actor, "dataset.create", ("dataset", dataset.id), {"slug": dataset.slug})
            unit.emit(dataset_changed(dataset.id))
            return dataset

    def update_dataset(
        self, actor: Actor, key: str, changes: Mapping[str, Any], *, seen_revision: int | None = None
    ) -> Dataset:
        """Set the given fields, keep the others; None or "" empties a field.

        Raises RevisionConflictError when `seen_revision` is not the current one, InvalidInputError.
        """
        with self._database.unit_of_work() as unit:
            dataset = editable(unit.session, actor, key, Permission.EDIT_DATASETS)
            if seen_revision is not None and seen_revision != dataset.revision:
                raise RevisionConflictError(current=dataset.revision)
            fields = self._checked({**dataset.fields, **changes})
            if fields["publisher"] != dataset.agency_code:
                actor.require(Permission.EDIT_DATASETS, fields["publisher"])
                _require_agency(unit.session, fields["publisher"])
            changed = sorted(n for n in {*fields, *dataset.fields} if fields.get(n) != dataset.fields.get(n))
            if not changed:
                audit.record(unit, actor, "dataset.save", ("dataset", dataset.id), {"changed": []})
                return dataset
            dataset.fields = fields
            dataset.agency_code = fields["publisher"]
            dataset.revision += 1
            dataset.modified_at = self._clock()
            self._keep_revision(unit, actor, dataset)
            audit.record(unit, actor, "dataset.save", ("dataset", dataset.id), {"changed": changed})
            unit.emit(dataset_changed(dataset.id))
            return dataset

    def publish_dataset(self, actor: Actor, key: str) -> Dataset:
        """Make it everyone's. Publishing what is public already changes nothing."""
        with self._database.unit_of_work() as unit:
            dataset = editable(unit.session, actor, key, Permission.PUBLISH_DATASETS)
            make_public(unit, actor, dataset, self._clock())
            return dataset

    def withdraw_dataset(self, actor: Actor, key: str) -> Dataset:
        """Take it out of sight; files and history stay."""
        with self._database.unit_of_work() as unit:
            dataset = editable(unit.session, actor, key, Permission.WITHDRAW_DATASETS)
            dataset.state = DatasetState.WITHDRAWN
            dataset.publish_when_ready = False
            audit.record(unit, actor, "dataset.withdraw", ("dataset", dataset.id))
            unit.emit(dataset_changed(dataset.id))
            return dataset

    def delete_draft(self, actor: Actor, key: str) -> None:
        """Raises NotADraftError for anything that was ever public."""
        with self._database.unit_of_work() as unit:
            dataset = editable(unit.session, actor, key, Permission.EDIT_DATASETS)
            if dataset.published_at is not None:
                raise NotADraftError
            unit.session.delete(dataset)
            audit.record(unit, actor, "dataset.delete", ("dataset", dataset.id), {"slug": dataset.slug})
            unit.emit(dataset_changed(dataset.id))

    def count_use(self, views: Mapping[str, int], downloads: Mapping[str, int]) -> None:
        """Add gathered counts by dataset id; unknown ids are passed over."""
        with self._database.bookkeeping() as unit:
            for counts, column in ((views, Dataset.view_count), (downloads, Dataset.download_count)):
                for dataset_id, count in sorted(counts.items()):  # one order, or two processes deadlock
                    unit.session.execute(
                        update(Dataset).where(Dataset.id == dataset_id).values({column: column + count})
                    )
            for dataset_id in downloads:
                unit.emit(dataset_changed(dataset_id))

    def _checked(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        fields, errors = self._profile.clean(metadata)
        if errors:
            raise InvalidInputError(*errors)
        return dict(fields)

    def _keep_revision(self, unit: UnitOfWork, actor: Actor, dataset: Dataset) -> None:
        unit.session.add(
            DatasetRevision(
                dataset_id=dataset.id,
                number=dataset.revision,
                at=self._clock(),
                by=actor.name,
                fields=dataset.fields,
            )
        )


def find_dataset(session: Session, key: str, *, for_change: bool = False) -> Dataset | None:
    """By id or slug; with `for_change` no one else changes it until this unit of work ends."""
    chosen = select(Dataset).where((Dataset.id == key) | (Dataset.slug == key))
    return session.scalar(chosen.with_for_update() if for_change else chosen)


def editable(
    session: Session, actor: Actor, key: str, permission: Permission, *, for_change: bool = True
) -> Dataset:
    """The dataset, for changing it. What the actor may not even see is not there (NotFoundError).

    `for_change=False` only asks whether it may be changed, in a session for reading.
    """
    if not actor.is_known:
        raise UnauthenticatedError
    dataset = find_dataset(session, key, for_change=for_change)
    if dataset is None or not can_view_dataset(actor, dataset):
        raise NotFoundError
    actor.require(permission, dataset.agency_code)
    return dataset


def make_public(unit: UnitOfWork, actor: Actor, dataset: Dataset, now: dt.datetime) -> None:
    """Part of a unit of work that publishes; used as well when the first file of a dataset is ready."""
    if dataset.state == DatasetState.PUBLISHED:
        audit.record(unit, actor, "dataset.publish", ("dataset", dataset.id), {"already": True})
        return
    dataset.state = DatasetState.PUBLISHED
    dataset.publish_when_ready = False
    dataset.published_at = dataset.published_at or now
    audit.record(unit, actor, "dataset.publish", ("dataset", dataset.id))
    unit.emit(dataset_changed(dataset.id))


def _require_agency(session: Session, code: str) -> None:
    if session.get(Agency, code) is None:
        raise InvalidInputError(
            FieldError("publisher", N_("This portal knows no agency “%(code)s”."), {"code": code})
        )


def _free_slug(session: Session, wished: str | None, title: Mapping[str, str]) -> str:
    if wished is not None:
        slug = slugify(wished)
        if slug != wished or not slug:
            hint = FieldError(
                "slug",
                N_("An address has only a–z, 0–9 and hyphens, for example “%(slug)s”."),
                {"slug": slug or "dataset"},
            )
            raise InvalidInputError(hint)
        if find_dataset(session, slug) is not None:
            raise SlugTakenError(slug=slug)
        return slug
    base = slugify(title.get("vi") or title.get("en") or "") or "dataset"
    if find_dataset(session, base) is None:
        return base
    for number in range(2, 20):
        if find_dataset(session, f"{base}-{number}") is None:
            return f"{base}-{number}"
    return f"{base}-{secrets.token_hex(4)}"
