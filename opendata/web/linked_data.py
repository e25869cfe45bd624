"""A dataset as schema.org/Dataset in JSON-LD, which search engines read from the page.

Properties follow https://schema.org/Dataset. The text goes into a script element of a data type: nothing
runs, and `<`, `>` and `&` are written as escapes so that no value can end the element.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from opendata.catalogue.markdown_text import plain_text
from opendata.http.context import services, speak
from opendata.web import addresses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opendata.accounts.models import Agency
    from opendata.catalogue.queries import DatasetView
    from opendata.resources.queries import ResourceView

LONGEST_DESCRIPTION: Final = 5000
MOST_COLUMNS: Final = 60
_ESCAPES: Final = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def dataset_json_ld(dataset: DatasetView, files: Sequence[ResourceView], publisher: Agency | None) -> Markup:
    tongue, vocabularies = speak(), services().vocabularies
    fields = dataset.fields
    title = tongue.pick(dataset.text("title"))
    place = vocabularies.places.get(fields.get("place", ""))
    licence = vocabularies.licences.get(fields.get("license", ""))
    organisation = {
        "@type": "GovernmentOrganization",
        "name": tongue.pick(publisher.name) if publisher else dataset.agency_code,
    }
    described: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": addresses.absolute(f"/datasets/{dataset.slug}"),
        "name": title,
        "description": plain_text(tongue.pick(dataset.text("description")))[:LONGEST_DESCRIPTION] or title,
        "url": addresses.absolute(addresses.page("datasets.dataset", slug=dataset.slug)),
        "identifier": fields.get("identifier") or dataset.id,
        "keywords": fields.get("keywords"),
        "creator": organisation,
        "publisher": organisation,
        "license": (licence.url or licence.label(tongue.language)) if licence else None,
        "isAccessibleForFree": True,
        "dateModified": dataset.modified_at.isoformat(),
        "datePublished": dataset.published_at.isoformat() if dataset.published_at else None,
        "spatialCoverage": {"@type": "Place", "name": place.label(tongue.language)} if place else None,
        "temporalCoverage": _period(fields),
        "variableMeasured": _columns(files),
        "distribution": [part for file in files for part in _distributions(file, tongue.pick(file.title))],
    }
    text = json.dumps({name: value for name, value in described.items() if value}, ensure_ascii=False)
    return Markup(text.translate(_ESCAPES))  # noqa: S704 - escaped in this line


def _period(fields: dict[str, Any]) -> str | None:
    """An ISO 8601 interval; `..` for an open end."""
    start, end = fields.get("period_start"), fields.get("period_end")
    return f"{start or '..'}/{end or '..'}" if start or end else None


def _columns(files: Sequence[ResourceView]) -> list[dict[str, str]]:
    names = {column["name"]: column for file in files for table in file.tables for column in table.columns}
    return [
        {"@type": "PropertyValue", "name": name, "description": column.get("description") or ""}
        for name, column in list(names.items())[:MOST_COLUMNS]
    ]


def _distributions(file: ResourceView, title: str) -> list[dict[str, Any]]:
    if file.current is None:
        return []
    original = {
        "@type": "DataDownload",
        "name": title,
        "contentUrl": addresses.absolute(addresses.api(f"/resources/{file.id}/file")),
        "encodingFormat": file.current.media_type,
        "contentSize": f"{file.current.size} B",
    }
    if not file.tables:
        return [original]
    parquet = {
        "@type": "DataDownload",
        "name": f"{title} (Parquet)",
        "contentUrl": addresses.absolute(addresses.api(f"/resources/{file.id}/export.parquet")),
        "encodingFormat": "application/vnd.apache.parquet",
        "contentSize": f"{file.tables[0].parquet_size} B",
    }
    return [original, parquet]
