"""The guide to problem codes for publishers: what each means and how to mend the file, in both languages.

The page `/problems` and the files `docs/problems.vi.md` and `docs/problems.en.md` are made of it, so that they
cannot fall behind the code. `python -m opendata.resources.ingest.problem_guide docs` writes the files again.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from opendata.kernel.errors import N_
from opendata.kernel.i18n import LANGUAGES, translator
from opendata.resources.ingest.problem_kinds import GROUPS

SEVERITIES: Final = {
    "error": N_("stops the publication"),
    "warning": N_("is published, look at it"),
    "info": N_("for your information"),
}
TITLE: Final = N_("What was wrong with my file?")
OPENING: Final = N_(
    "Everything that can be said about a file that was sent in, with what to do. An ellipsis stands for the "
    "value, the column or the number found in your file."
)
_PLACEHOLDER: Final = re.compile(r"%\(\w+\)s")


@dataclass(frozen=True, slots=True)
class Entry:
    """One code in words; `advice` is empty where nothing has to be done."""

    code: str
    severity: str
    severity_words: str
    title: str
    sentence: str
    advice: str


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    entries: tuple[Entry, ...]


def problem_groups(language: str) -> tuple[Group, ...]:
    """Every code, in the order of the stages."""
    say = translator(language).gettext
    return tuple(
        Group(
            say(title),
            tuple(
                Entry(
                    kind.code,
                    kind.severity,
                    say(SEVERITIES[kind.severity]),
                    say(kind.title),
                    _readable(say(kind.sentence)),
                    _readable(say(kind.advice)) if kind.advice else "",
                )
                for kind in kinds
            ),
        )
        for title, kinds in GROUPS
        if kinds
    )


def guide_text(language: str) -> str:
    """The guide as Markdown."""
    say = translator(language).gettext
    lines = [f"# {say(TITLE)}", "", say(OPENING), ""]
    for group in problem_groups(language):
        lines += [f"## {group.title}", ""]
        for entry in group.entries:
            lines += [f"### {entry.title}", "", f"`{entry.code}` · {entry.severity_words}", ""]
            lines += [" ".join(filter(None, (entry.sentence, entry.advice))), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _readable(sentence: str) -> str:
    return _PLACEHOLDER.sub("…", sentence).replace("%%", "%")


def write_guides(folder: Path) -> None:
    for language in LANGUAGES:
        (folder / f"problems.{language}.md").write_text(guide_text(language), encoding="utf-8")


if __name__ == "__main__":
    write_guides(Path(sys.argv[1]))
