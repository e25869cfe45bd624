"""Rows and downloads of published tables, by resource: what the API and the pages call.

Joins who may see a resource (resources) to the row path (filters, engine, export). A cursor is honoured for
the version it is pinned to, also after the file was replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opendata.kernel.errors import N_, BadParameterError, NotFoundError
from opendata.kernel.text import slugify
from opendata.tabular.cursor import cursor_version
from opendata.tabular.export import FORMATS, Options, export_rows
from opendata.tabular.filters import parse_query
from opendata.tabular.problems import CursorOfOtherVersionError, clip
from opendata.tabular.query import fingerprint, is_whole
from opendata.tabular.source import SourceColumn, TableSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from opendata.accounts.policy import Actor
    from opendata.kernel.storage import FileStore
    from opendata.resources.queries import ResourceQueries, ResourceView, TableView
    from opendata.tabular.engine import RowPage, TableEngine

_BYTE_ORDER_MARK: Final = "bom"


class TrueOrFalseError(BadParameterError):
    template = N_("“%(name)s” is true or false, not “%(value)s”.")


@dataclass(frozen=True, slots=True)
class TableExport:
    """A download: either the stored file at `path`, or `chunks` made on the way (close them)."""

    dataset_id: str
    filename: str
    media_type: str
    etag: str
    path: Path | None
    chunks: Iterable[bytes]


class TableQueries:
    def __init__(self, resources: ResourceQueries, store: FileStore, engine: TableEngine) -> None:
        self._resources = resources
        self._store = store
        self._engine = engine

    def source(self, actor: Actor, resource_id: str, table: str | None) -> TableSource:
        """The table readers get now, for building forms and links. Raises NotFoundError."""
        view = self._resources.resource(actor, resource_id)
        return self._source(_current(view), view.table(table))

    def rows(
        self, actor: Actor, resource_id: str, pairs: Sequence[tuple[str, str]], table: str | None
    ) -> RowPage:
        """One page. Raises NotFoundError, UnknownParameterError, BadParameterError, QueryTooSlowError."""
        view = self._resources.resource(actor, resource_id)
        cursor = dict(pairs).get("cursor")
        source = self._pinned(actor, view, table, cursor) if cursor else self._newest(view, table)
        return self._engine.rows(source, parse_query(source, pairs))

    def export(
        self,
        actor: Actor,
        resource_id: str,
        pairs: Sequence[tuple[str, str]],
        table: str | None,
        format_name: str,
    ) -> TableExport:
        """All rows of the query in a format of FORMATS. Raises NotFoundError for other formats."""
        wanted = FORMATS.get(format_name)
        if wanted is None:
            raise NotFoundError
        view = self._resources.resource(actor, resource_id)
        chosen = view.table(table)
        source = self._source(_current(view), chosen)
        query = parse_query(source, pairs, paging=False, taken=(_BYTE_ORDER_MARK,))
        options = Options(bom=_true_or_false(_BYTE_ORDER_MARK, dict(pairs).get(_BYTE_ORDER_MARK)))
        filename = f"{_file_stem(view, chosen)}.{wanted.extension}"
        if format_name == "parquet" and is_whole(source, query):
            return TableExport(
                view.dataset_id, filename, wanted.media_type, chosen.parquet_sha256, source.path, ()
            )
        shape = f"{fingerprint(source, query).hex()}-{'.'.join(map(str, query.columns))}-{options.bom:d}"
        etag = f"{source.version_id}-{shape}-{format_name}"
        chunks = export_rows(self._engine, source, query, wanted, options)
        return TableExport(view.dataset_id, filename, wanted.media_type, etag, None, chunks)

    def close(self) -> None:
        self._engine.close()

    def _newest(self, view: ResourceView, table: str | None) -> TableSource:
        return self._source(_current(view), view.table(table))

    def _pinned(self, actor: Actor, view: ResourceView, table: str | None, cursor: str) -> TableSource:
        version_id = cursor_version(cursor)
        if view.current is not None and version_id == view.current.id:
            return self._newest(view, table)
        if version_id not in {version.id for version in self._resources.versions(actor, view.id)}:
            raise CursorOfOtherVersionError(name="cursor", value=clip(cursor))
        for found in self._resources.tables_of_version(actor, version_id):
            if table is None or found.name == table:
                return self._source(version_id, found)
        raise NotFoundError

    def _source(self, version_id: str, table: TableView) -> TableSource:
        return TableSource(
            version_id=version_id,
            table=table.name,
            path=self._store.path(table.parquet_sha256),
            row_count=table.row_count,
            columns=tuple(
                SourceColumn(column["name"], column["type"], column["format"], column.get("meaning"))
                for column in table.columns
            ),
        )


def _current(view: ResourceView) -> str:
    if view.current is None:
        raise NotFoundError
    return view.current.id


def _file_stem(view: ResourceView, table: TableView) -> str:
    title = slugify(view.title.get("vi") or view.title.get("en") or "") or view.dataset_slug
    return f"{title}-{slugify(table.name)}" if len(view.tables) > 1 else title


def _true_or_false(name: str, text: str | None) -> bool:
    if text not in {None, "true", "false"}:
        raise TrueOrFalseError(name=name, value=clip(text or ""))
    return text == "true"
