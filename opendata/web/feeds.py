"""An Atom 1.0 feed (RFC 4287) of a search: its newest datasets, with ids and times that stay.

Called by `dataset_lists`. An entry's id is a tag URI (RFC 4151) of the dataset's own id, the same in every
feed, language and address; `updated` is the dataset's last change.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from opendata.http.context import language, services, speak
from opendata.kernel.errors import N_
from opendata.kernel.ids import utc_now
from opendata.web import addresses

if TYPE_CHECKING:
    from opendata.catalogue.search import DatasetResults, DatasetSummary

MOST_ENTRIES: Final = 50
_ATOM: Final = "http://www.w3.org/2005/Atom"
# What XML 1.0 cannot hold, not even escaped.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# The year this scheme of ids began, which a tag URI needs and which never changes.
_TAG_YEAR: Final = "2025"


def feed(found: DatasetResults) -> bytes:
    say, form = speak().gettext, found.form
    root = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": language()})
    plain = form.sorted_by("")
    pairs = [(name, value) for name, value in plain.parameters() if name != "per_page"]
    itself = addresses.absolute(addresses.page("datasets.listing", pairs, kind="atom"))
    _text(root, "id", itself)
    words = say(N_("New data: %(words)s"), words=form.text) if form.text else say(N_("New data"))
    _text(root, "title", f"{words} – {say('Open data portal')}")
    newest = max((item.modified_at for item in found.items), default=utc_now())
    _text(root, "updated", newest.isoformat(timespec="seconds"))
    _link(root, "self", itself, "application/atom+xml")
    _link(root, "alternate", addresses.absolute(addresses.page("datasets.search", pairs)), "text/html")
    author = ET.SubElement(root, "author")
    _text(author, "name", say("Open data portal"))
    for item in found.items:
        root.append(_entry(item))
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _entry(item: DatasetSummary) -> ET.Element:
    pick = speak().pick
    entry = ET.Element("entry")
    host = urlsplit(services().settings.base_url).hostname or "localhost"
    _text(entry, "id", f"tag:{host},{_TAG_YEAR}:datasets/{item.id}")
    _text(entry, "title", pick(dict(item.title)))
    _text(entry, "updated", item.modified_at.isoformat(timespec="seconds"))
    _link(
        entry,
        "alternate",
        addresses.absolute(addresses.page("datasets.dataset", slug=item.slug)),
        "text/html",
    )
    author = ET.SubElement(entry, "author")
    _text(author, "name", services().vocabularies.agencies.label(item.publisher, language()))
    if summary := pick(dict(item.summary)):
        _text(entry, "summary", summary)
    return entry


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _NOT_XML.sub("", text)


def _link(parent: ET.Element, rel: str, href: str, media_type: str) -> None:
    ET.SubElement(parent, "link", {"rel": rel, "href": href, "type": media_type})
