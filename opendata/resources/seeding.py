"""Loads data packages through the same services as any upload. Running it again adds only what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opendata.kernel.errors import NotFoundError
from opendata.resources.service import Upload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opendata.accounts.policy import Actor
    from opendata.catalogue.queries import CatalogueQueries, DatasetView
    from opendata.catalogue.seed_packages import SeedPackage
    from opendata.catalogue.service import CatalogueService
    from opendata.resources.queries import ResourceQueries, ResourceView
    from opendata.resources.service import ResourceService


class SeedLoader:
    def __init__(
        self,
        catalogue: CatalogueService,
        catalogue_queries: CatalogueQueries,
        resources: ResourceService,
        resource_queries: ResourceQueries,
    ) -> None:
        self._catalogue = catalogue
        self._catalogue_queries = catalogue_queries
        self._resources = resources
        self._resource_queries = resource_queries

    def load(
        self,
        actor: Actor,
        packages: Iterable[SeedPackage],
        report: Callable[[str], None] = lambda _slug: None,
    ) -> list[str]:
        """Create datasets and hand in their files; ids of the versions now waiting for the worker.

        Files that an earlier, interrupted call handed in and that still wait are among them.
        """
        waiting: list[str] = []
        for package in packages:
            waiting += self._load_package(actor, package)
            report(package.slug)
        return waiting

    def _load_package(self, actor: Actor, package: SeedPackage) -> list[str]:
        dataset_id, held = self._held(actor, package)
        waiting = [resource.latest.id for resource in held if not resource.latest.is_settled]
        for resource in package.resources[len(held) :]:  # files are handed in in order
            with resource.path.open("rb") as stream:
                upload = Upload(
                    stream=stream,
                    filename=resource.path.name,
                    title=resource.title,
                    description=resource.description,
                    table_schema=resource.table_schema,
                )
                waiting.append(self._resources.add_resource(actor, dataset_id, upload).version_id)
        return waiting

    def _held(self, actor: Actor, package: SeedPackage) -> tuple[str, tuple[ResourceView, ...]]:
        """The dataset's id and those of its files that are in already; creates the dataset if need be."""
        try:
            found: DatasetView = self._catalogue_queries.dataset(actor, package.slug)
        except NotFoundError:
            created = self._catalogue.create_dataset(
                actor, package.metadata, slug=package.slug, publish_when_ready=True
            )
            return created.id, ()
        return found.id, self._resource_queries.resources_of(actor, found.id)
