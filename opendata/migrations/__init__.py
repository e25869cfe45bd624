"""The database schema, step by step (Alembic). `migrate` is called by quickstart, the CLI and the tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from opendata.accounts import models as accounts_models
from opendata.catalogue import models as catalogue_models
from opendata.catalogue import reader_models
from opendata.kernel import outbox
from opendata.kernel.tables import Base
from opendata.resources import models as resources_models

if TYPE_CHECKING:
    from opendata.kernel.db import Database

_FOLDER = Path(__file__).parent
MODEL_MODULES = (accounts_models, catalogue_models, outbox, reader_models, resources_models)
METADATA = Base.metadata


def migrate(database: Database, target: str = "head") -> None:
    """Bring the schema to `target` ("head", "base" or a revision) in one transaction."""
    config = _config()
    backwards = target == "base" or _is_behind(config, target, current_revision(database))
    with database.schema_change() as connection:
        config.attributes["connection"] = connection
        if backwards:
            command.downgrade(config, target)
        else:
            command.upgrade(config, target)


def current_revision(database: Database) -> str | None:
    """The revision the database is at; None when it is empty."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str:
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _is_behind(config: Config, target: str, current: str | None) -> bool:
    if target == "head" or current is None:
        return False
    script = ScriptDirectory.from_config(config)
    return any(step.revision == target for step in script.iterate_revisions(current, "base"))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    return config
