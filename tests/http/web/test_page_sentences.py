"""Sentences of pages: the short way a page asks for them says what Jinja's own does, escaped alike."""

from __future__ import annotations

import pytest

from opendata.web import rendering

SENTENCES = (
    '_("Search datasets")',
    '_("Nothing found for “%(words)s”", words="<b> & 50% {x}")',
    '_("Did you mean %(words)s?", words=marked)',
    '_("in %(seconds)s seconds", seconds=number(0.25))',
    '_("A sentence that has no translation, 100%%")',
    'ngettext("%(count)s dataset", "%(count)s datasets", 1234)',
    'ngettext("and %(count)s more", "and %(count)s more", 1)',
    "number(1234567)",
    "pick({'en': 'Roads <i>'})",
    "pick({'en': 'Roads', 'vi': 'Đường'})",
)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_sentences_say_the_same_by_either_way(portal, client, lang) -> None:
    made = rendering.environment()
    template = made.from_string(
        "{% set marked %}<em>{{ '<' }}</em>{% endset %}"
        + "".join(f"<p>{{{{ {sentence} }}}}" for sentence in SENTENCES)
    )
    with client.application.test_request_context(f"/{lang}/datasets"):
        by_globals = template.render()
        by_page = template.render(**rendering._frame(200))
    assert by_page == by_globals
    assert "&lt;b&gt; &amp; 50% {x}" in by_page
    assert "<em>&lt;</em>" in by_page
    assert "100%<p>" in by_page
    assert {"vi": "1.234.567", "en": "1,234,567"}[lang] in by_page
