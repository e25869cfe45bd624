"""The pages: rendered on the server, complete without scripts, in Vietnamese and English.

`register` is called by the web composition root. Views parse, call a service or a query, and render.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint

from opendata.web import (
    accounts,
    administration,
    assets,
    changes,
    datasets,
    home,
    problem_codes,
    publishing,
    publishing_decisions,
    publishing_files,
    requests,
    resources,
    saved_searches,
)
from opendata.web.form_tokens import refuse_foreign_forms

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    pages = Blueprint("web", __name__)
    pages.url_value_preprocessor(_take_language)
    pages.before_request(refuse_foreign_forms)
    for part in (
        home,
        datasets,
        resources,
        changes,
        problem_codes,
        publishing,
        publishing_files,
        publishing_decisions,
        requests,
        saved_searches,
        administration,
        accounts,
    ):
        pages.register_blueprint(part.blueprint, url_prefix="/<any(vi, en):lang>")
    pages.register_blueprint(home.entrances)
    pages.register_blueprint(assets.blueprint)
    app.register_blueprint(pages)


def _take_language(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Views do not ask for the language: `http.context.language` reads it from the address."""
    (values or {}).pop("lang", None)
