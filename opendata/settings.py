"""Every OPENDATA_* setting, typed, with its one-line meaning; docs/settings.md is held equal by a test."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environs import Env, EnvError

SHORTEST_SECRET = 32


class SettingsError(ValueError):
    """A setting that cannot be used; the message names it and says what is wanted."""


def setting(meaning: str, default: object) -> Any:
    """A field with its documentation; `{data}` in a default is the data directory."""
    return dataclasses.field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    data_dir: Path = setting("Folder of everything the portal keeps on this machine", Path("opendata-data"))
    database_url: str = setting(
        "Database: sqlite:////path/file or postgresql+psycopg://user@host/name",
        "sqlite:///{data}/portal.sqlite",
    )
    store_url: str = setting("File store: file:///folder", "file://{data}/files")
    search_url: str = setting(
        "Search index: columns:///folder, tantivy:///folder or whoosh:///folder", "columns://{data}/search"
    )
    secret_key: str = setting("Signs cookies and forms; at least 32 random characters", "")
    base_url: str = setting(
        "Public address of the portal, without a slash at the end", "http://127.0.0.1:8000"
    )
    host: str = setting("Address the web server listens on", "127.0.0.1")
    port: int = setting("Port the web server listens on", 8000)
    web_workers: int = setting("Web processes; 0 for one on each processor core, four at most", 0)
    web_threads: int = setting("Requests that each web process works on at once", 4)
    job_workers: int = setting("Jobs that run at the same time in one worker", 2)
    upload_limit_mb: int = setting("Largest file taken, in MB (1,048,576 bytes)", 5120)
    ingest_memory_mb: int = setting("Memory a file may need while it is read, in MB", 4096)
    ingest_seconds: int = setting("Time a file may need while it is read, in seconds", 3600)
    query_seconds: int = setting("Time one question to a table may take, in seconds", 20)
    query_memory_mb: int = setting("Memory all questions to tables share in one web process, in MB", 512)

    @property
    def is_secure(self) -> bool:
        """Whether cookies may be limited to HTTPS."""
        return self.base_url.startswith("https://")


def load_settings(**overrides: object) -> Settings:
    """Settings from OPENDATA_* variables; overrides win. Raises SettingsError naming the variable."""
    env = Env(prefix="OPENDATA_")
    values: dict[str, Any] = {}
    for item in dataclasses.fields(Settings):
        name = item.name.upper()
        reader: Any = {"int": env.int, "Path": env.path}.get(str(item.type), env.str)
        try:
            values[item.name] = reader(name, default=item.default)
        except EnvError as error:
            raise SettingsError(f"OPENDATA_{name} is not of the right kind: {error}") from error
    values |= {name: value for name, value in overrides.items() if value is not None}
    values["data_dir"] = Path(values["data_dir"]).absolute()
    for name in ("database_url", "store_url", "search_url"):
        values[name] = values[name].replace("{data}", str(values["data_dir"]))
    return _checked(Settings(**values))


def _checked(settings: Settings) -> Settings:
    for item in dataclasses.fields(Settings):
        value = getattr(settings, item.name)
        least = 0 if item.name in {"port", "web_workers"} else 1
        if isinstance(value, int) and value < least:
            raise SettingsError(f"OPENDATA_{item.name.upper()} must be at least {least}, not {value}")
    return settings


def require_secret(settings: Settings) -> None:
    """Refuse to serve with a missing or short secret key. Raises SettingsError."""
    if len(settings.secret_key) < SHORTEST_SECRET:
        raise SettingsError(
            f"OPENDATA_SECRET_KEY must have at least {SHORTEST_SECRET} random characters; "
            'make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
