"""The documentation: the OpenAPI document, and a page made from it that needs no script and nothing from outside."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, current_app
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from opendata.api import examples
from opendata.api.access import EVERYONE
from opendata.api.addresses import PREFIX
from opendata.api.documentation_page import describe
from opendata.api.openapi import localized
from opendata.api.operations import Answer, ApiBlueprint, Operation
from opendata.api.problems import known_problems
from opendata.api.schemas.parameters import LanguageParameterSchema, NoParametersSchema
from opendata.http import caching
from opendata.http.context import language, services, speak
from opendata.kernel.errors import N_
from opendata.kernel.i18n import LANGUAGES, Translator, translator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opendata.kernel.errors import PortalError

EXTENSION: Final = "opendata-api-document"

blueprint: Final = ApiBlueprint("documentation", __name__, description=N_("What this API can do"))
assets: Final = Blueprint(
    "api-assets",
    __name__,
    static_folder="static",
    static_url_path="/assets/api",
)


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/openapi.json",
    who=EVERYONE,
    summary=N_("The OpenAPI document"),
    description=N_("OpenAPI 3.1, made from the same schemas that check and write everything here."),
    query=NoParametersSchema,
    answer={"type": "object", "required": ["openapi", "info", "paths"]},
    curl="curl '{base}/openapi.json'",
)
def read_openapi(query: Mapping[str, Any]) -> Answer:
    del query
    return Answer(_document(speak()))


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/docs",
    who=EVERYONE,
    summary=N_("This documentation"),
    description=N_("A page for people, in Vietnamese or English."),
    query=LanguageParameterSchema,
    contents={"text/html": {"type": "string"}},
    curl="curl '{base}/docs?lang=en'",
)
def read_documentation(query: Mapping[str, Any]) -> Response:
    return _page("documentation", query)


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/docs/shapes",
    who=EVERYONE,
    summary=N_("The shapes of bodies and answers"),
    description=N_("The second page of this documentation."),
    query=LanguageParameterSchema,
    contents={"text/html": {"type": "string"}},
    curl="curl '{base}/docs/shapes?lang=en'",
)
def read_shapes(query: Mapping[str, Any]) -> Response:
    return _page("shapes", query)


def _page(name: str, query: Mapping[str, Any]) -> Response:
    lang = query.get("lang") or language()
    chosen = translator(lang)
    here = "docs/shapes" if name == "shapes" else "docs"
    page = (
        _templates()
        .get_template(f"api/{name}.html")
        .render(
            api=describe(_document(chosen), chosen.gettext),
            problems=[(kind, _sentence(kind, chosen)) for kind in known_problems()],
            base=services().settings.base_url + PREFIX,
            here=here,
            shapes_at="" if name == "shapes" else f"{PREFIX}/docs/shapes?lang={lang}",
            lang=lang,
            languages=LANGUAGES,
            _=chosen.gettext,
        )
    )
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Language"] = lang
    response.vary.add("Accept-Language")
    caching.label(response, tag=caching.digest_tag(page.encode()), private=False)
    return response


def _document(chosen: Translator) -> dict[str, Any]:
    made = current_app.extensions[EXTENSION]
    return localized(made, chosen, services().settings.base_url, examples.example_names())


@cache
def _templates() -> Environment:
    folder = FileSystemLoader(Path(__file__).parent / "templates")
    return Environment(
        loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _sentence(kind: type[PortalError], chosen: Translator) -> str:
    """The sentence of a refusal, with … for what each case fills in."""
    return re.sub(r"%\(\w+\)s", "…", chosen.gettext(kind.template))
