"""Reads of the catalogue: one dataset, a search, the figures of the home page. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from opendata.catalogue.models import Dataset, DatasetRevision, DatasetState
from opendata.catalogue.policy import can_edit_dataset, can_view_dataset, visible_datasets
from opendata.catalogue.service import find_dataset
from opendata.kernel.errors import NotFoundError

if TYPE_CHECKING:
    import datetime as dt

    from opendata.accounts.policy import Actor
    from opendata.kernel.db import Database


@dataclass(frozen=True, slots=True)
class DatasetView:
    """A dataset as its page and the API show it; `fields` in the shape of the metadata profile."""

    id: str
    slug: str
    state: str
    revision: int
    fields: dict[str, Any]
    agency_code: str
    created_at: dt.datetime
    modified_at: dt.datetime
    published_at: dt.datetime | None
    download_count: int
    view_count: int
    may_edit: bool

    def text(self, name: str) -> dict[str, str]:
        """A multilingual field as {"vi": …, "en": …}; empty when absent."""
        value = self.fields.get(name)
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class RevisionView:
    number: int
    at: dt.datetime
    by: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CatalogueFigures:
    datasets: int
    publishers: int
    downloads: int


class CatalogueQueries:
    def __init__(self, database: Database) -> None:
        self._database = database

    def dataset(self, actor: Actor, key: str) -> DatasetView:
        """By id or slug. Raises NotFoundError, also for what the actor may not see."""
        with self._database.reading() as session:
            found = find_dataset(session, key)
            if found is None or not can_view_dataset(actor, found):
                raise NotFoundError
            return dataset_view(actor, found)

    def datasets_of(
        self, actor: Actor, agency_codes: frozenset[str], limit: int = 200
    ) -> tuple[DatasetView, ...]:
        """What an officer works on: the datasets of these agencies in every state, latest change first."""
        chosen = (
            select(Dataset)
            .where(visible_datasets(actor), Dataset.agency_code.in_(sorted(agency_codes)))
            .order_by(Dataset.modified_at.desc(), Dataset.id)
            .limit(limit)
        )
        with self._database.reading() as session:
            return tuple(dataset_view(actor, found) for found in session.scalars(chosen))

    def revisions(self, actor: Actor, key: str) -> tuple[RevisionView, ...]:
        """The metadata history, newest first. Raises NotFoundError.

        Readers see it from publication on: the first is what was published, with the moment of publication.
        What a draft said before is its agency's own.
        """
        dataset = self.dataset(actor, key)
        chosen = (
            select(DatasetRevision)
            .where(DatasetRevision.dataset_id == dataset.id)
            .order_by(DatasetRevision.number.desc())
        )
        with self._database.reading() as session:
            views = [RevisionView(r.number, r.at, r.by, r.fields) for r in session.scalars(chosen)]
        if dataset.may_edit or dataset.published_at is None:
            return tuple(views)
        public = [view for view in views if view.at > dataset.published_at]
        return (*public, replace(views[len(public)], at=dataset.published_at))

    def figures(self) -> CatalogueFigures:
        """Counts over what is public."""
        counted = select(
            func.count(),
            func.count(func.distinct(Dataset.agency_code)),
            func.coalesce(func.sum(Dataset.download_count), 0),
        ).where(Dataset.state == DatasetState.PUBLISHED)
        with self._database.reading() as session:
            datasets, publishers, downloads = session.execute(counted).one()
        return CatalogueFigures(datasets, publishers, int(downloads))


def dataset_view(actor: Actor, dataset: Dataset) -> DatasetView:
    return DatasetView(
        id=dataset.id,
        slug=dataset.slug,
        state=dataset.state,
        revision=dataset.revision,
        fields=dataset.fields,
        agency_code=dataset.agency_code,
        created_at=dataset.created_at,
        modified_at=dataset.modified_at,
        published_at=dataset.published_at,
        download_count=dataset.download_count,
        view_count=dataset.view_count,
        may_edit=can_edit_dataset(actor, dataset),
    )
