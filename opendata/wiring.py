"""Builds engines, stores and services from settings: the one place where adapters are chosen.

The web app, the worker and the CLI call `build_services`; nothing registers itself on import.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from opendata.accounts.queries import AccountQueries
from opendata.accounts.service import AccountService
from opendata.catalogue.demand import DemandCounter, SearchDemandLog
from opendata.catalogue.plain_search import PlainSearch
from opendata.catalogue.queries import CatalogueQueries
from opendata.catalogue.query_fields import search_parser
from opendata.catalogue.requests import DataRequests
from opendata.catalogue.saved_searches import SavedSearches
from opendata.catalogue.search import CatalogueSearch
from opendata.catalogue.service import CatalogueService
from opendata.catalogue.usage import UsageCounter
from opendata.catalogue_wiring import build_catalogue_parts
from opendata.kernel.ids import utc_now
from opendata.kernel.outbox import oldest_waiting
from opendata.kernel.partial_uploads import PartialUploads
from opendata.kernel.storage import open_store
from opendata.resources.meanings.search_phrases import SearchPhrases
from opendata.resources.queries import ResourceQueries
from opendata.resources.service import ResourceService
from opendata.search.port import IndexState
from opendata.tabular.engine import Limits as QueryLimits
from opendata.tabular.engine import TableEngine
from opendata.tabular.queries import TableQueries

if TYPE_CHECKING:
    from collections.abc import Callable

    from opendata.catalogue.importing import CatalogueImport
    from opendata.catalogue.indexing import IndexDatasets
    from opendata.catalogue.profile import MetadataProfile
    from opendata.catalogue.vocabularies import Vocabularies
    from opendata.kernel.db import Database
    from opendata.kernel.storage import LocalStore
    from opendata.search.service import SearchService
    from opendata.settings import Settings

MB = 1 << 20
WORKER_PATIENCE = dt.timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the edges call."""

    settings: Settings
    database: Database
    store: LocalStore
    partial_uploads: PartialUploads
    vocabularies: Vocabularies
    profile: MetadataProfile
    accounts: AccountService
    account_queries: AccountQueries
    catalogue: CatalogueService
    catalogue_queries: CatalogueQueries
    catalogue_search: CatalogueSearch
    catalogue_import: CatalogueImport
    usage: UsageCounter
    data_requests: DataRequests
    saved_searches: SavedSearches
    demand: DemandCounter
    demand_log: SearchDemandLog
    resources: ResourceService
    resource_queries: ResourceQueries
    tables: TableQueries
    search: SearchService
    indexing: IndexDatasets

    def close(self) -> None:
        self.usage.flush()
        self.demand.flush()
        self.tables.close()
        self.search.close()
        self.database.close()


def build_services(settings: Settings) -> Services:
    """Open nothing that needs the network but the database, and that lazily."""
    store = open_store(settings.store_url)
    # As plain values: processes that prepare documents get them and load nothing.
    parts = build_catalogue_parts(settings, dict(SearchPhrases()), search_parser)
    database, vocabularies, search = parts.database, parts.vocabularies, parts.search
    catalogue = CatalogueService(database, parts.profile)
    catalogue_search = CatalogueSearch(search, vocabularies, PlainSearch(database, parts.indexing.builder))
    demand_log = SearchDemandLog(database)
    resource_queries = ResourceQueries(database)
    engine = TableEngine(
        roots=(store.folder,),
        cache=settings.data_dir / "cache",
        limits=QueryLimits(seconds=settings.query_seconds, memory=f"{settings.query_memory_mb}MB"),
    )
    return Services(
        settings=settings,
        database=database,
        store=store,
        partial_uploads=PartialUploads(store.folder / "uploads"),
        vocabularies=vocabularies,
        profile=parts.profile,
        accounts=AccountService(database),
        account_queries=AccountQueries(database),
        catalogue=catalogue,
        catalogue_queries=CatalogueQueries(database),
        catalogue_search=catalogue_search,
        usage=UsageCounter(catalogue.count_use),
        data_requests=DataRequests(database),
        saved_searches=SavedSearches(database, catalogue_search.count),
        demand=DemandCounter(demand_log.save),
        demand_log=demand_log,
        resources=ResourceService(database, store, settings.upload_limit_mb * MB),
        resource_queries=resource_queries,
        tables=TableQueries(resource_queries, store, engine),
        search=search,
        indexing=parts.indexing,
        catalogue_import=parts.catalogue_import,
    )


def readiness(services: Services) -> dict[str, str]:
    """Each part with "ok" or one sentence on what is wrong; asks the parts themselves."""
    return {
        "database": _state(services.database.ping),
        "store": _state(services.store.check),
        "search": _state(lambda: _check_search(services)),
        "worker": _state(lambda: _check_worker(services)),
    }


class NotReadyError(RuntimeError):
    """A part that answers, but not as it should; the message is shown."""


def _state(check: Callable[[], None]) -> str:
    try:
        check()
    except (OSError, RuntimeError, SQLAlchemyError) as error:
        return f"{type(error).__name__}: {error}".splitlines()[0][:200]
    return "ok"


def _check_search(services: Services) -> None:
    state = services.search.status().state
    if state is not IndexState.READY:
        raise NotReadyError(f"the index is {state}: the worker makes it again when it starts")


def _check_worker(services: Services) -> None:
    with services.database.reading() as session:
        since = oldest_waiting(session)
    if since is not None and utc_now() - since > WORKER_PATIENCE:
        raise NotReadyError(f"nothing has been taken from the outbox since {since:%Y-%m-%d %H:%M} UTC")
