"""Escaping in pages is that of markupsafe, whatever the value is, and templates use it."""

from __future__ import annotations

from typing import Any

import markupsafe
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markupsafe import Markup

from opendata.web.escaping import escape
from opendata.web.rendering import environment

DANGEROUS = """<script>alert("1")</script> & 'x'"""
ESCAPED = "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt; &amp; &#39;x&#39;"


class Named(str):
    __slots__ = ()

    def __html__(self) -> str:
        return "<b>named</b>"


@given(st.one_of(st.text(alphabet="<>&\"'aă "), st.text(), st.integers(), st.none(), st.text().map(Markup)))
def test_it_is_what_markupsafe_makes_of_it(value: Any) -> None:
    for _ in range(2):
        made = escape(value)
        assert type(made) is Markup
        assert made == markupsafe.escape(value)


@pytest.mark.parametrize("value", [Named("<i>"), type("Text", (str,), {})("<i>"), DANGEROUS * 9])
def test_strings_of_other_kinds_and_long_ones_too(value: str) -> None:
    assert escape(value) == markupsafe.escape(value)


@pytest.mark.parametrize(
    ("template", "made"),
    [
        ("{{ x }}", ESCAPED),
        ("{{ x|safe }}", DANGEROUS),
        ("<a title='{{ x }}'>", f"<a title='{ESCAPED}'>"),
        ("{% set y %}<b>{{ x }}</b>{% endset %}{{ y }}", f"<b>{ESCAPED}</b>"),
        (
            "{% macro m(v) %}<b>{{ v }}</b>{% endmacro %}{{ m(x) }}{{ m(m(x)) }}",
            f"<b>{ESCAPED}</b><b><b>{ESCAPED}</b></b>",
        ),
        ("{% for c in x[:1] %}{{ c }}{% endfor %}{{ x ~ 1 }}", f"&lt;{ESCAPED}1"),
        ("{% if x %}{{ x if y is defined else 0 }}{% endif %}", "0"),
        ("{% block b %}{{ x }}{% endblock %}{{ self.b() }}", ESCAPED * 2),
    ],
)
def test_templates_escape_what_fills_them(template: str, made: str) -> None:
    assert environment().from_string(template).render(x=DANGEROUS) == made


def test_what_is_not_there_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nobody }}").render()


def test_templates_are_compiled_with_it() -> None:
    assert environment().from_string("{{ x }}").root_render_func.__globals__["escape"] is escape
