"""Templates to answers: one Jinja environment, strict about names, escaping everywhere, in two languages.

Templates call `_("English sentence", name=value)`; what fills a sentence is escaped. Views call
`render_page(template, **context)`. The environment is the portal's own, not Flask's, so that no other part can
change what a page may reach.
"""

from __future__ import annotations

import datetime as dt
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Response, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from opendata.accounts.policy import VISITOR
from opendata.catalogue.freshness import freshness
from opendata.http.context import SESSION_COOKIE, language, page_actor, services, speak
from opendata.kernel.i18n import LANGUAGES, translator
from opendata.kernel.ids import utc_now
from opendata.web import addresses
from opendata.web.escaping import PageCode, foreign
from opendata.web.form_tokens import form_token_field
from opendata.web.markdown import first_words, prose
from opendata.web.table_page import column_figures, column_meaning, column_notes, statistic
from opendata.web.words import word

if TYPE_CHECKING:
    from collections.abc import Callable

_SERVER_FAULT = 500
_SECTIONS = ("/datasets", "/publish", "/account", "/sign-in")


def render_page(template: str, status: int = 200, **context: Any) -> Response:
    """The answer with a rendered page. Pages of a signed-in browser are never kept by anyone."""
    return page(page_text(template, status, **context), status)


def page_text(template: str, status: int = 200, **context: Any) -> str:
    return environment().get_template(template).render(**_frame(status), **context)


def page(body: str | bytes, status: int, *, vary: str = "Cookie") -> Response:
    response = Response(body, status, content_type="text/html; charset=utf-8")
    is_signed_in = SESSION_COOKIE in request.cookies
    response.headers["Cache-Control"] = "no-store" if is_signed_in or status >= _SERVER_FAULT else "no-cache"
    response.headers["Content-Language"] = language()
    response.headers["Vary"] = vary
    return response


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # a page is made of eight files, and each would be looked at again for each page
        extensions=["jinja2.ext.i18n"],
    )
    made.code_generator_class = PageCode
    made.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension
        lambda message: speak().gettext(message), _plural, newstyle=True
    )
    made.globals.update(
        ngettext=_plural,
        number=lambda value: speak().number(value),
        percent=lambda share: speak().percent(share),
        size=lambda count: speak().size(count),
        date=lambda value: speak().date(value),
        moment=lambda value: speak().moment(value),
        ago=_ago,
        pick=lambda text: speak().pick(text),
        foreign=lambda text: foreign(text, language()),
        say=lambda problem: problem.message(speak().gettext),
        heading=lambda problem: problem.title(speak().gettext),
        sentence=lambda problem: problem.sentence(speak().gettext),
        advice=lambda problem: problem.advice(speak().gettext),
        label=_label,
        word=word,
        day_of=dt.date.fromisoformat,
        first_words=first_words,
        fresh=_fresh,
        address=addresses.page,
        api=addresses.api,
        absolute=addresses.absolute,
        asset=addresses.asset,
        here_in=addresses.here_in,
        form_token=form_token_field,
        prose=prose,
        column_figures=column_figures,
        column_meaning=column_meaning,
        column_notes=column_notes,
        statistic=statistic,
        languages=LANGUAGES,
        standing=_standing,
    )
    # Drawings say the same on every page; importing them anew cost more than writing them.
    drawings = made.get_template("layout/icons.html").module
    made.globals.update({name: cache(getattr(drawings, name)) for name in ("icon", "emblem")})
    return made


def _frame(status: int) -> dict[str, Any]:
    """What every page's frame needs. A page about a fault asks the database nothing."""
    say = speak()
    return {
        "lang": say.language,
        # What a page of results asks hundreds of times goes straight to its language. Macros that are imported
        # without context find the globals of the same names.
        "_": _sentences(say.language),
        "ngettext": say.ngettext,
        "number": say.number,
        "date": say.date,
        "pick": say.pick,
        "status": status,
        "actor": VISITOR if status >= _SERVER_FAULT else page_actor(),
        "here": request.path,
    }


def _standing(template: str, here: str = "", *, is_signed_in: bool = False) -> Markup:
    """A part of the frame that is the same on all pages of a section, in one language."""
    sections = frozenset([section for section in _SECTIONS if section in here])
    return _written_standing(
        template, language(), request.root_path, sections, is_signed_in=bool(is_signed_in)
    )


@lru_cache(256)
def _written_standing(
    template: str, lang: str, _root: str, sections: frozenset[str], *, is_signed_in: bool
) -> Markup:
    """Its addresses rest on the root, and it is given nothing but what it is kept by."""
    part = environment().get_template(template)
    text = part.render(_=_sentences(lang), sections=sections, is_signed_in=is_signed_in)
    return Markup(text)  # noqa: S704 - escaped by the template


@cache
def _sentences(lang: str) -> Callable[..., Markup]:
    """What newstyle `_` of Jinja does, which is a format even without parameters; it takes four calls for it."""
    gettext = translator(lang).gettext
    bare = lru_cache(2048)(lambda message: Markup(gettext(message)) % {})  # noqa: S704 - messages are our own

    def sentence(message: str, /, **params: object) -> Markup:
        return Markup(gettext(message)) % params if params else bare(message)  # noqa: S704 - messages are our own

    return sentence


def _plural(one: str, many: str, count: int, **params: object) -> str:
    """`%(count)s` in the sentence is the number as the reader's language writes it."""
    return speak().ngettext(one, many, count, **params)


def _ago(moment: dt.datetime) -> str:
    return speak().ago(moment, utc_now())


def _fresh(frequency: str | None, modified_at: dt.datetime) -> str | None:
    """In time, late, or None where the frequency promises nothing."""
    known = services().vocabularies.frequencies.get(frequency or "")
    return freshness(known.expected_days, modified_at, utc_now()) if known else None


def _label(vocabulary: str, code: str) -> str:
    """A code of a vocabulary in words."""
    return services().vocabularies.named(vocabulary).label(code, language())
