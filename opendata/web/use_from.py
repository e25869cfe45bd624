"""“Use it from …”: short programs for the first table of a dataset, which run as they are printed.

A flow test runs the Python, curl and DuckDB ones against a live portal. Parquet is offered where a language
reads it, because it keeps types: a code such as 01 stays text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opendata.http.context import speak
from opendata.web import addresses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opendata.catalogue.queries import DatasetView
    from opendata.resources.queries import ResourceView

_PYTHON = """\
# pip install pandas pyarrow
import pandas as pd

table = pd.read_parquet("{parquet}")
print(table.head())
"""
_R = """\
# install.packages("arrow")
download.file("{parquet}", "{name}.parquet", mode = "wb")
table <- arrow::read_parquet("{name}.parquet")
head(table)
"""
_CURL = """\
curl --fail --silent --show-error --output {name}.csv "{csv}"
curl --fail --silent --show-error "{rows}"
"""
_DUCKDB = """\
curl --fail --silent --show-error --output {name}.parquet "{parquet}"
duckdb -c "SELECT * FROM '{name}.parquet' LIMIT 10"
"""
_PYTHON_FILE = """\
import urllib.request

urllib.request.urlretrieve("{file}", "{filename}")
"""
_CURL_FILE = """\
curl --fail --silent --show-error --remote-header-name --remote-name "{file}"
"""


@dataclass(frozen=True, slots=True)
class WayToUse:
    """`code` to copy, or `steps` to follow where there is nothing to type; `name` is a tool's own name."""

    name: str
    code: str = ""
    steps: tuple[str, ...] = ()


def ways_to_use(dataset: DatasetView, files: Sequence[ResourceView]) -> tuple[WayToUse, ...]:
    """Of the first file with a table; of the first file where none has one; none without files."""
    with_table = next((file for file in files if file.tables), None)
    if with_table is not None:
        return _table_ways(dataset.slug, with_table)
    published = next((file for file in files if file.current), None)
    return _file_ways(dataset.slug, published) if published else ()


def _table_ways(slug: str, file: ResourceView) -> tuple[WayToUse, ...]:
    address = addresses.absolute(addresses.api(f"/resources/{file.id}"))
    words = {
        "name": slug[:40].strip("-"),
        "parquet": f"{address}/export.parquet",
        "csv": f"{address}/export.csv",
        "rows": f"{address}/rows?limit=5",
    }
    tongue = speak()
    excel = (
        tongue.gettext("On the Data tab choose “From Web”."),
        tongue.gettext("Paste this address and press OK: %(address)s", address=words["csv"]),
        tongue.gettext("Excel shows the table; “Refresh” fetches new figures later."),
    )
    return (
        WayToUse("Python", _PYTHON.format(**words)),
        WayToUse("R", _R.format(**words)),
        WayToUse("curl", _CURL.format(**words)),
        WayToUse("DuckDB", _DUCKDB.format(**words)),
        WayToUse("Excel", steps=excel),
    )


def _file_ways(slug: str, file: ResourceView) -> tuple[WayToUse, ...]:
    ending = (
        file.current.filename.rpartition(".")[2] if file.current and "." in file.current.filename else "bin"
    )
    safe = "".join(char for char in ending if char.isascii() and char.isalnum())[:8] or "bin"
    words = {
        "file": addresses.absolute(addresses.api(f"/resources/{file.id}/file")),
        "filename": f"{slug[:40].strip('-')}.{safe}",
    }
    return (
        WayToUse("Python", _PYTHON_FILE.format(**words)),
        WayToUse("curl", _CURL_FILE.format(**words)),
    )
