"""What fills a page is escaped, and what is markup already goes in as it is: Jinja's rule, at a fifth of its cost.

A page of results has five hundred places to fill. `markupsafe.escape` looks each value over and makes a new Markup
of it, also of one that is Markup; most of the texts (names of agencies, of themes, sentences) come again on each page.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from jinja2.compiler import CodeGenerator
from markupsafe import Markup
from markupsafe import escape as escape_anything

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import nodes
    from jinja2.compiler import Frame

_LONGEST_KEPT: Final = 100  # characters

_NOTHING: Final = Markup()
_kept: Final = lru_cache(8192)(escape_anything)


def escape(value: Any) -> Markup:
    """The same as `markupsafe.escape`."""
    kind = type(value)
    if kind is Markup:
        known: Markup = value
        return known
    if kind is str and len(value) <= _LONGEST_KEPT:
        return _kept(value)
    return escape_anything(value)


def foreign(text: Mapping[str, str], language: str) -> Markup:
    """The mark of an element whose text exists in the other language only (WCAG 3.1.2)."""
    if text.get(language):
        return _NOTHING
    other = next((tongue for tongue, value in text.items() if value), None)
    return Markup(' lang="{}"').format(other) if other else _NOTHING


class PageCode(CodeGenerator):
    """Compiles templates that escape with the function above."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802 - Jinja's name
        super().visit_Template(node, frame)
        # Last in the module that a template becomes, in place of the function that its first line imports.
        self.writeline(f"from {__name__} import escape")
