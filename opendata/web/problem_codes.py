"""The page that tells publishers what each problem code means and how to mend the file."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from flask import Blueprint

from opendata.http.context import language
from opendata.resources.ingest.problem_guide import OPENING, TITLE, problem_groups
from opendata.web.access import open_to_all
from opendata.web.rendering import render_page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("problem_codes", __name__)
_groups = cache(problem_groups)


@blueprint.get("/problems")
@open_to_all
def problem_codes() -> Response:
    return render_page("publishing/problems.html", groups=_groups(language()), title=TITLE, opening=OPENING)
