"""The `opendata` command. Every failure is one sentence on standard error and an exit code above zero.

A command is loaded when it is called: what reads files, serves pages or migrates takes a second to load, and a
command that needs none of it should not wait.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, Final

import click
from sqlalchemy.exc import OperationalError

from opendata import __version__
from opendata.cli.language import speak
from opendata.kernel.errors import InvalidInputError, PortalError
from opendata.settings import SettingsError

# The modules of this package with the commands that each offers.
_MODULES: Final = {
    "running": ("quickstart", "serve", "worker", "migrate", "seed", "check", "reindex", "follow-index"),
    "files": ("inspect", "validate", "convert"),
    "publishing": ("publish", "search"),
    "importing": ("import-catalogue",),
    "administration": ("user", "agency", "token", "verify"),
}
_MODULE_OF: Final = {command: module for module, commands in _MODULES.items() for command in commands}


class _Sentences(click.Group):
    """Turns what went wrong into a sentence; a traceback is for developers (OPENDATA_DEBUG=1)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_MODULE_OF})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _MODULE_OF and cmd_name not in self.commands:
            for command in import_module(f"opendata.cli.{_MODULE_OF[cmd_name]}").COMMANDS:
                self.add_command(command)
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        if os.environ.get("OPENDATA_DEBUG"):
            return super().invoke(ctx)
        try:
            return super().invoke(ctx)
        except InvalidInputError as error:
            raise click.ClickException(_listed(error)) from error
        except PortalError as error:
            raise click.ClickException(error.message(speak().gettext)) from error
        except SettingsError as error:
            raise click.ClickException(str(error)) from error
        except OperationalError as error:
            reason = str(error.orig).splitlines()[0]
            raise click.ClickException(f"The database does not answer: {reason}") from error
        except BrokenPipeError:
            sys.stderr.close()  # the reader of our output (head, less) has seen enough
            return None
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{where}{error.strerror or error}") from error


def _listed(error: InvalidInputError) -> str:
    return " ".join(f"{item.field}: {item.message(speak().gettext)}" for item in error.errors)


@click.group(
    cls=_Sentences, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="opendata")
def main() -> None:
    """A national open-data portal: publish files, find datasets, query and download them.

    Start with:  opendata quickstart
    """
