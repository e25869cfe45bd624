"""The part of wiring that needs no file: database, vocabularies, index, and what keeps them in step.

`wiring` builds everything else on it; `opendata import-catalogue` needs no more, and starts without what reads
files, tables and pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from opendata.catalogue.documents import INDEX_SCHEMA
from opendata.catalogue.events import DATASET_CHANGED
from opendata.catalogue.importing import CatalogueImport
from opendata.catalogue.indexing import IndexDatasets
from opendata.catalogue.profile import load_profile
from opendata.catalogue.vocabularies import load_vocabularies
from opendata.kernel.batches import MAX_ATTEMPTS, BatchRunner
from opendata.kernel.bundled import bundled
from opendata.kernel.db import Database
from opendata.kernel.ids import utc_now
from opendata.resources.documents import document_builder, open_document_source
from opendata.search.service import SearchService

if TYPE_CHECKING:
    from collections.abc import Callable

    from opendata.catalogue.profile import MetadataProfile
    from opendata.catalogue.vocabularies import Vocabularies
    from opendata.resources.documents import Phrases
    from opendata.search.parsing import Parser
    from opendata.settings import Settings


@dataclass(frozen=True, slots=True)
class CatalogueParts:
    database: Database
    vocabularies: Vocabularies
    profile: MetadataProfile
    search: SearchService
    indexing: IndexDatasets
    catalogue_import: CatalogueImport

    def close(self) -> None:
        self.search.close()
        self.database.close()


def build_catalogue_parts(
    settings: Settings, phrases: Phrases, read_lines: Callable[[Vocabularies], Parser] | None = None
) -> CatalogueParts:
    """Opens nothing. `phrases`: the words by which people look for columns of a meaning, by its key;
    `read_lines` makes what reads the lines that people type, where people search.
    """
    database = Database(settings.database_url)
    vocabularies = load_vocabularies(bundled("catalog_schemas"))
    profile = load_profile(bundled("catalog_schemas"), vocabularies)
    search = SearchService(
        settings.search_url, INDEX_SCHEMA, read_lines(vocabularies) if read_lines else None
    )
    source = partial(open_document_source, settings.database_url, phrases)
    return CatalogueParts(
        database=database,
        vocabularies=vocabularies,
        profile=profile,
        search=search,
        indexing=IndexDatasets(database, document_builder(vocabularies, phrases), search, source),
        catalogue_import=CatalogueImport(database, profile),
    )


def build_index_runner(parts: CatalogueParts) -> BatchRunner:
    """What a worker does about the index, for commands that finish their own work where no worker runs."""
    return BatchRunner(
        parts.database,
        {DATASET_CHANGED: parts.indexing},
        max_attempts=MAX_ATTEMPTS,
        rest=lambda _failures: 0.0,
        clock=utc_now,
    )
