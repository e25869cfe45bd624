"""The `opendata` command. Every failure is one sentence on standard error and an exit code above zero."""

from __future__ import annotations

import os
import sys
from typing import Any

import click
from sqlalchemy.exc import OperationalError

from opendata import __version__
from opendata.cli import administration, files, importing, publishing, running
from opendata.cli.language import speak
from opendata.kernel.errors import InvalidInputError, PortalError
from opendata.settings import SettingsError


class _Sentences(click.Group):
    """Turns what went wrong into a sentence; a traceback is for developers (OPENDATA_DEBUG=1)."""

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


for _command in (
    *running.COMMANDS,
    *files.COMMANDS,
    *publishing.COMMANDS,
    *importing.COMMANDS,
    *administration.COMMANDS,
):
    main.add_command(_command)
