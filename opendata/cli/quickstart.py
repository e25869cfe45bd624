"""`opendata quickstart`: one folder, one command, a portal that answers.

Prepares the data directory (again, if an earlier start was cut short), then supervises a web and a worker
process until Ctrl-C or SIGTERM. A child that dies is started again; children never outlive this process.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import click

from opendata.accounts.policy import COMMAND_LINE, Role
from opendata.accounts.service import AgencyEntry, EmailTakenError
from opendata.catalogue.seed_packages import read_packages
from opendata.kernel.bundled import bundled
from opendata.kernel.processes import start_child, stop_children
from opendata.migrations import migrate
from opendata.resources.models import IN_WORK, VersionState
from opendata.resources.seeding import SeedLoader
from opendata.settings import SettingsError, load_settings
from opendata.wiring import build_services

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from opendata.settings import Settings
    from opendata.wiring import Services

PATIENCE_SECONDS = 15.0
START_SECONDS = 60.0
MOST_RESTARTS = 20
DEMO_AGENCY = "BKHCN"
DEMO_PEOPLE = (
    ("admin@example.org", "Quản trị viên", True),
    ("canbo@example.org", "Cán bộ công bố", False),
)
SIGN_INS_FILE = "demo-sign-ins.json"


@dataclass(frozen=True, slots=True)
class Wishes:
    data_dir: Path | None
    host: str | None
    port: int | None
    seed: bool


def run_quickstart(wishes: Wishes, say: Callable[[str], None]) -> None:
    """Raises SettingsError with one sentence for whatever prevents a start."""
    settings = load_settings(data_dir=wishes.data_dir, host=wishes.host, port=wishes.port)
    _make_folder(settings.data_dir)
    with _only_one(settings.data_dir):
        settings = _completed(settings, wishes)
        _check_port(settings.host, settings.port)
        say(f"Data directory: {settings.data_dir}")
        services = build_services(settings)
        _prepare(services, say)
        supervisor = Supervisor(_environment(settings), say)
        try:
            supervisor.start()
            supervisor.wait_until_answering(f"http://{_reachable(settings.host)}:{settings.port}/healthz")
            say(f"The portal answers at {settings.base_url}/")
            if wishes.seed:
                _seed(services, supervisor, say)
            _print_sign_ins(settings, say)
            say("Ready. Stop with Ctrl-C.")
            supervisor.watch()
        finally:
            say("Stopping …")
            supervisor.stop()
            services.close()
    say("Stopped.")


class Supervisor:
    """Keeps one web and one worker process running until told to stop."""

    def __init__(self, environment: dict[str, str], say: Callable[[str], None]) -> None:
        self._environment = environment
        self._say = say
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._restarts = 0
        self._stopping = False
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self._ask_to_stop)

    def _ask_to_stop(self, *_details: object) -> None:
        self._stopping = True

    @property
    def stopping(self) -> bool:
        return self._stopping

    def start(self) -> None:
        for name in ("serve", "worker"):
            self._children[name] = start_child(["opendata.cli", name], self._environment)

    def tend(self) -> None:
        """Start again what died. Raises SettingsError when a child cannot stay up."""
        for name, child in self._children.items():
            if child.poll() is not None and not self._stopping:
                self._restarts += 1
                if self._restarts > MOST_RESTARTS:
                    raise SettingsError(f"“opendata {name}” keeps ending (exit code {child.returncode}).")
                self._say(f"“opendata {name}” ended (exit code {child.returncode}); starting it again.")
                self._children[name] = start_child(["opendata.cli", name], self._environment)

    def watch(self) -> None:
        while not self._stopping:
            self.tend()
            time.sleep(0.2)

    def wait_until_answering(self, address: str) -> None:
        end = time.monotonic() + START_SECONDS
        while not self._stopping:
            try:
                with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - our own http address
                    return
            except (urllib.error.URLError, OSError):
                self.tend()
                if time.monotonic() > end:
                    raise SettingsError(f"The web server did not answer at {address}.") from None
                time.sleep(0.1)

    def stop(self) -> None:
        stop_children(list(self._children.values()), PATIENCE_SECONDS)


def _prepare(services: Services, say: Callable[[str], None]) -> None:
    """Everything here may be done again: a start that was cut short repairs itself with the next one."""
    services.store.prepare()
    migrate(services.database)
    entries = [
        AgencyEntry(
            agency.code,
            dict(agency.labels),
            agency.kind,
            agency.successor,
            agency.valid_from,
            agency.valid_to,
        )
        for agency in services.vocabularies.agencies
    ]
    if not services.account_queries.agencies():
        services.accounts.add_agencies(COMMAND_LINE, entries)
    if not services.account_queries.people():
        _add_demo_people(services)
        say("First start: accounts for trying things out were made.")
    services.indexing.ensure_index()


def _add_demo_people(services: Services) -> None:
    """Passwords are random, written down first, so that an interrupted start cannot lose them."""
    path = services.settings.data_dir / SIGN_INS_FILE
    sign_ins = {email: secrets.token_urlsafe(12) for email, _, _ in DEMO_PEOPLE}
    _write_secret(path, json.dumps(sign_ins, indent=2))
    for email, name, is_admin in DEMO_PEOPLE:
        try:
            services.accounts.add_person(
                COMMAND_LINE, email=email, name=name, password=sign_ins[email], is_platform_admin=is_admin
            )
        except EmailTakenError:
            services.accounts.set_password(COMMAND_LINE, email, sign_ins[email])
        if not is_admin:
            services.accounts.set_role(COMMAND_LINE, email, DEMO_AGENCY, Role.EDITOR)


def _seed(services: Services, supervisor: Supervisor, say: Callable[[str], None]) -> None:
    marker = services.settings.data_dir / "seeded"
    if marker.exists():
        return
    packages = list(read_packages(bundled("seed_datasets")))
    loader = SeedLoader(
        services.catalogue, services.catalogue_queries, services.resources, services.resource_queries
    )
    waiting = loader.load(COMMAND_LINE, packages)
    say(f"Publishing {len(packages)} seed datasets ({len(waiting)} files) …")
    _follow(services, waiting, supervisor, say)
    if not supervisor.stopping:
        marker.touch()


def _follow(
    services: Services, waiting: list[str], supervisor: Supervisor, say: Callable[[str], None]
) -> None:
    total, told = len(waiting), -1
    while not supervisor.stopping:
        supervisor.tend()
        states = services.resource_queries.states(waiting)
        settled = sum(state not in IN_WORK for state in states.values())
        if settled != told:
            say(f"  {settled}/{total} files ready")
            told = settled
        if settled == total:
            failed = sum(state != VersionState.PUBLISHED for state in states.values())
            if failed:
                say(f"  {failed} files could not be published; see the page of each dataset.")
            return
        time.sleep(0.3)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsError(
            f"The data directory {folder} cannot be written ({error.strerror}). Choose another with --data-dir."
        ) from error


class _only_one:  # noqa: N801 - reads as the statement it is used in
    """Holds the data directory for this process. Raises SettingsError when another one has it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handle: IO[str] | None = None

    def __enter__(self) -> None:
        self._handle = (self._folder / "quickstart.lock").open("w")
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._handle.close()
            raise SettingsError(f"A portal is running on {self._folder} already. Stop it first.") from None

    def __exit__(self, *_details: object) -> None:
        if self._handle is not None:
            self._handle.close()


def _completed(settings: Settings, wishes: Wishes) -> Settings:
    """Settings with the secret key of this data directory and the address people will type."""
    key = settings.secret_key or _kept_secret(settings.data_dir / "secret-key")
    base_url = os.environ.get("OPENDATA_BASE_URL") or f"http://{_reachable(settings.host)}:{settings.port}"
    return load_settings(
        data_dir=wishes.data_dir, host=wishes.host, port=wishes.port, secret_key=key, base_url=base_url
    )


def _kept_secret(path: Path) -> str:
    if path.exists() and (kept := path.read_text().strip()):
        return kept
    key = secrets.token_urlsafe(48)
    _write_secret(path, key)
    return key


def _write_secret(path: Path, text: str) -> None:
    """Readable by the owner alone, and whole or not there at all."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"Port {port} on {host} cannot be used ({error.strerror}). Choose another with --port."
            ) from error


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound


def _environment(settings: Settings) -> dict[str, str]:
    chosen: dict[str, Any] = {
        "DATA_DIR": settings.data_dir,
        "DATABASE_URL": settings.database_url,
        "STORE_URL": settings.store_url,
        "SEARCH_URL": settings.search_url,
        "SECRET_KEY": settings.secret_key,
        "BASE_URL": settings.base_url,
        "HOST": settings.host,
        "PORT": settings.port,
    }
    return {**os.environ, **{f"OPENDATA_{name}": str(value) for name, value in chosen.items()}}


def _print_sign_ins(settings: Settings, say: Callable[[str], None]) -> None:
    path = settings.data_dir / SIGN_INS_FILE
    if not path.exists():
        return
    say(f"Sign-ins for trying things out (kept in {path}; delete that file when you no longer need it):")
    for email, password in json.loads(path.read_text()).items():
        say(f"  {email}  {password}")


def echo(message: str) -> None:
    """One line, at once, also into a pipe."""
    click.echo(message)
    sys.stdout.flush()
