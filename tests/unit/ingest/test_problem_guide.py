"""The guide to problem codes is whole, in both languages, and its files are what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from opendata.kernel.i18n import LANGUAGES
from opendata.resources.ingest.problem_guide import guide_text, problem_groups
from opendata.resources.ingest.problem_kinds import KINDS

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_files_are_what_the_code_says(language: str) -> None:
    written = (DOCS / f"problems.{language}.md").read_text(encoding="utf-8")
    assert written == guide_text(language), "run `make docs`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_is_explained_once(language: str) -> None:
    entries = [entry for group in problem_groups(language) for entry in group.entries]
    assert sorted(entry.code for entry in entries) == sorted(KINDS)
    for entry in entries:
        assert "%(" not in entry.sentence + entry.advice + entry.title
        assert entry.severity == "info" or entry.advice
