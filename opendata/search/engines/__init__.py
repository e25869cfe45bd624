"""The engines behind the port, opened by address: `tantivy:///folder` or `whoosh:///folder`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from opendata.search.folder import FolderEngine, IndexFormat

if TYPE_CHECKING:
    from opendata.search.port import IndexSchema, SearchEngine

# Only the engine asked for is loaded: a machine without tantivy's native wheel can still use Whoosh.
_FORMATS: Final = {
    "columns": ("opendata.search.engines.columns", "ColumnsFormat"),
    "tantivy": ("opendata.search.engines.tantivy", "TantivyFormat"),
    "whoosh": ("opendata.search.engines.whoosh", "WhooshFormat"),
}


def open_engine(url: str, schema: IndexSchema) -> SearchEngine:
    """ValueError for an address that names no engine. Touches no file before the first use."""
    parts = urlsplit(url)
    folder = unquote(parts.netloc + parts.path)
    if parts.scheme not in _FORMATS or not folder:
        raise ValueError(f"{url!r} is not a search address such as tantivy:///var/lib/opendata/search")
    module, name = _FORMATS[parts.scheme]
    index_format: IndexFormat = getattr(import_module(module), name)(schema)
    return FolderEngine(Path(folder), index_format)
