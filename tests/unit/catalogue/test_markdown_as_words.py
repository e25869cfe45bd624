"""Plain descriptions are not parsed as Markdown: what comes out is what the parser would have said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.catalogue import markdown_text
from opendata.catalogue.markdown_text import plain_text

_PARTS = st.sampled_from(
    ("Dân số", "năm 2024", " ", "\n", "\n\n", "\n \t\n", "\r\n", "**đậm**", "_nghiêng_", "- ", "+ ", "1. ", "9) ", "# ",
     "> ", "===", "---", "    ", "\t", "`mã`", "```", "~~~", "[chữ](https://vi.du)", "<b>", "&amp;", "\\", "*", "_",
     "\u00a0", "\u2028", "a  b")
)  # fmt: skip


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("Dân số  các tỉnh\nnăm 2024.\n\nNguồn: **Bộ**.", "Dân số các tỉnh năm 2024. Nguồn: Bộ."),
        ("1. một\n2. hai", "một hai"),
        ("a\n===\nb", "a b"),
        ("Xem [niên giám](https://vi.du/a_b_c).", "Xem niên giám."),
        ("A &amp; B", "A & B"),
    ],
)
def test_the_words_of_markdown(markdown: str, words: str) -> None:
    assert plain_text(markdown) == words


@given(st.lists(_PARTS, max_size=12).map("".join))
def test_what_is_not_parsed_reads_as_if_it_were(markdown: str) -> None:
    assert plain_text(markdown) == markdown_text._parsed(markdown)
