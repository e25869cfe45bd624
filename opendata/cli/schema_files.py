"""Table Schemas given on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import click

from opendata.kernel.errors import N_, BadParameterError

SCHEMA_OPTION = click.option(
    "--schema",
    "schema_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A Table Schema (JSON) the file must keep.",
)


class UnreadableSchemaError(BadParameterError):
    code = "unreadable-schema"
    template = N_("%(path)s is not a Table Schema: a JSON object with a list of “fields”.")


def read_schema(path: Path) -> dict[str, object]:
    """Raises UnreadableSchemaError."""
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UnreadableSchemaError(path=path) from error
    if not isinstance(schema, dict) or not isinstance(schema.get("fields"), list):
        raise UnreadableSchemaError(path=path)
    return schema
