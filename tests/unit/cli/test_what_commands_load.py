"""Commands are loaded one by one, and an import, or a process that prepares documents, loads nothing it does not need."""

from __future__ import annotations

import pickle
import subprocess
import sys
from importlib import import_module

import click
import pytest

from opendata import cli
from opendata.resources.meanings.registry import MEANINGS
from opendata.resources.meanings.search_phrases import SearchPhrases

HEAVY = {"pyarrow", "duckdb", "flask", "frictionless", "granian", "alembic", "huey", "openpyxl", "markdown"}


def test_each_module_offers_the_commands_it_is_listed_with() -> None:
    for module, commands in cli._MODULES.items():
        offered = import_module(f"opendata.cli.{module}").COMMANDS
        assert tuple(command.name for command in offered) == commands
    context = click.Context(cli.main)
    assert cli.main.list_commands(context) == sorted(cli._MODULE_OF)
    assert all(cli.main.get_command(context, name) is not None for name in cli._MODULE_OF)
    assert cli.main.get_command(context, "no-such-command") is None


@pytest.mark.parametrize(
    "modules", ["opendata.cli.importing", "opendata.resources.documents, opendata.search.preparing"]
)
def test_only_what_is_needed_is_loaded(modules: str) -> None:
    script = f"import {modules}, sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    loaded = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout.split()
    assert "sqlalchemy" in loaded
    assert HEAVY.isdisjoint(loaded)


def test_phrases_read_late_are_those_of_the_meanings() -> None:
    phrases = pickle.loads(pickle.dumps(SearchPhrases()))  # noqa: S301 - our own
    assert list(phrases) == list(MEANINGS)
    assert len(phrases) == len(MEANINGS)
    key, meaning = next((key, one) for key, one in MEANINGS.items() if one.search_words)
    assert set(phrases[key]) == {text for texts in meaning.search_words.values() for text in texts}
    assert phrases.get("no-such-meaning", ()) == ()
