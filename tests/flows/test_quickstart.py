"""`opendata quickstart` as people meet it: starts, is interrupted, repairs itself, stops without a trace.

One portal is started, killed while it seeds, started again and used by the tests that follow in this file
(which `--dist loadfile` keeps in one process).
"""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import stat
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from opendata.accounts.policy import COMMAND_LINE, VISITOR
from opendata.catalogue.seed_packages import read_packages
from opendata.cli import main
from opendata.kernel.bundled import bundled
from opendata.resources.service import Upload
from opendata.settings import load_settings
from opendata.wiring import Services, build_services
from tests.flows.conftest import Quickstart, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = {package.slug for package in read_packages(bundled("seed_datasets"))}


def opened(folder: Path) -> Services:
    return build_services(load_settings(data_dir=folder, secret_key="x" * 40))


def leave_things_half_done(folder: Path) -> None:
    """What a start that was cut short very early may leave behind."""
    folder.mkdir()
    for name in ("portal.sqlite", "portal.sqlite.lock", "quickstart.lock", "secret-key"):
        (folder / name).touch()
    (folder / "secret-key.new").write_text("half")
    (folder / "secret-key.new").chmod(0o600)


def damage_what_can_be_made_again(folder: Path) -> None:
    """Queue, index and what was on its way are none of them the only copy of anything."""
    (folder / "jobs.sqlite").write_bytes(b"garbage" * 1000)
    for path in (folder / "search").rglob("*"):
        if path.is_file():
            path.write_bytes(b"garbage")
    (folder / "files" / "incoming" / "half").write_bytes(b"half an upload")
    (folder / "work" / "left").mkdir(parents=True, exist_ok=True)
    (folder / "work" / "left" / "part").write_bytes(b"x")


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose first start was killed while it published the seed datasets."""
    folder = tmp_path_factory.mktemp("quickstart") / "dữ liệu mở"
    leave_things_half_done(folder)
    portal = Quickstart(folder)
    portal.wait_for("seed datasets")
    assert portal.get("/healthz")[0] == 200
    portal.end(signal.SIGKILL)
    assert not (folder / "seeded").exists()
    assert len((folder / "secret-key").read_text()) >= 32
    damage_what_can_be_made_again(folder)
    return folder


@pytest.fixture(scope="module")
def portal(interrupted: Path) -> Iterator[Quickstart]:
    """The same directory, started again."""
    running = Quickstart(interrupted)
    try:
        running.wait_for("Ready.")
        yield running
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGKILL)


def test_the_second_start_finishes_what_the_first_began(portal) -> None:
    services = opened(portal.folder)
    found = services.catalogue_queries.figures()
    slugs = {
        view.slug for view in services.catalogue_queries.datasets_of(COMMAND_LINE, all_agencies(services))
    }
    services.close()
    assert slugs == PACKAGES
    assert found.datasets == len(PACKAGES)
    assert list((portal.folder / "files" / "incoming").iterdir()) == []
    assert f"The portal answers at {portal.address}/" in portal.said
    assert "Traceback" not in portal.said


def all_agencies(services: Services) -> frozenset[str]:
    return frozenset(agency.code for agency in services.account_queries.agencies())


def test_it_is_ready_and_finds_without_diacritics(portal) -> None:
    wait_until(lambda: portal.get("/readyz")[0] == 200, "readiness")
    status, found = portal.get("/api/v1/datasets?q=chinh+phu+dien+tu")
    assert status == 200
    assert "chi-tieu-chinh-phu-dien-tu" in [item["slug"] for item in found["items"]]


def test_the_sign_ins_it_prints_work_and_are_private(portal) -> None:
    file = portal.folder / "demo-sign-ins.json"
    sign_ins = json.loads(file.read_text())
    assert len(sign_ins) == 2
    services = opened(portal.folder)
    for email, password in sign_ins.items():
        assert f"{email}  {password}" in portal.said
        assert services.accounts.sign_in(email, password)
    services.close()
    for name in ("demo-sign-ins.json", "secret-key"):
        assert stat.S_IMODE((portal.folder / name).stat().st_mode) == 0o600


def refused(*options: str) -> str:
    """The one sentence with which quickstart refuses to start."""
    ended = CliRunner().invoke(main, ["quickstart", *options])
    assert isinstance(ended.exception, SystemExit), ended.exception
    assert (ended.exit_code, ended.stdout) == (1, "")
    (sentence,) = ended.stderr.splitlines()
    assert sentence.startswith("Error: ")
    return sentence


def test_a_second_portal_is_told_in_one_sentence(portal, tmp_path) -> None:
    assert f"Port {portal.port}" in refused(f"--data-dir={tmp_path / 'other'}", f"--port={portal.port}")
    assert "running" in refused(f"--data-dir={portal.folder}", f"--port={free_port()}")
    assert portal.get("/healthz")[0] == 200


@pytest.mark.parametrize("place", ["under a file", "where nobody may write"])
def test_a_folder_that_cannot_be_written_is_said_in_one_sentence(tmp_path, place: str) -> None:
    (tmp_path / "file").write_text("x")
    folder = str(tmp_path / "file" / "data") if place == "under a file" else "/sys/opendata"
    sentence = refused(f"--data-dir={folder}", f"--port={free_port()}")
    assert folder in sentence
    assert "--data-dir" in sentence


def test_a_worker_killed_in_the_middle_of_a_file_is_replaced_and_the_file_finished(portal) -> None:
    services = opened(portal.folder)
    fields = {"title": "Bảng thử", "publisher": "BKHCN"}
    services.catalogue.create_dataset(COMMAND_LINE, fields, slug="bang-thu", publish_when_ready=True)
    small = Upload(io.BytesIO(b"ma,ten\n01,a\n"), "x.csv")
    resource_id = services.resources.add_resource(COMMAND_LINE, "bang-thu", small).resource_id
    queries = services.resource_queries

    def latest() -> tuple[str, int]:
        version = queries.resource(COMMAND_LINE, resource_id).latest
        return version.state, version.number

    wait_until(lambda: latest() == ("published", 1), "the first version")
    count = 150_000
    content = "ma,ten,so,ngay\n" + "".join(
        f"{n:08d},tên {n},{n * 7 % 1000},2025-07-{n % 28 + 1:02d}\n" for n in range(count)
    )
    services.resources.replace_file(COMMAND_LINE, resource_id, Upload(io.BytesIO(content.encode()), "x.csv"))
    wait_until(lambda: latest() == ("processing", 2), "the worker to take the file")
    killed = portal.child("worker")
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: "starting it again" in portal.said, "another worker")
    assert latest() == ("processing", 2)
    assert queries.resource(VISITOR, resource_id).tables[0].row_count == 1
    wait_until(lambda: latest() == ("published", 2), "the second version")
    assert portal.child("worker") != killed
    assert queries.resource(VISITOR, resource_id).tables[0].row_count == count
    status, page = portal.get(f"/api/v1/resources/{resource_id}/rows?limit=1")
    assert (status, page["total"], page["rows"][0][0]) == (200, count, "00000000")
    wait_until(lambda: not list((portal.folder / "work").iterdir()), "the working folder to be cleared")
    assert list((portal.folder / "files" / "incoming").iterdir()) == []
    services.close()


def test_a_web_process_that_dies_is_started_again(portal) -> None:
    os.kill(portal.child("serve"), signal.SIGKILL)
    wait_until(lambda: "“opendata serve” ended" in portal.said, "the supervisor to notice")

    def answers() -> bool:
        try:
            return portal.get("/healthz")[0] == 200
        except OSError:
            return False

    wait_until(answers, "an answer")


def test_sigterm_stops_everything_and_later_starts_seed_nothing(portal) -> None:
    assert portal.end(signal.SIGTERM) == 0
    assert portal.lines[-1] == "Stopped."
    assert "Traceback" not in portal.said
    services = opened(portal.folder)
    everything = services.catalogue_queries.figures().datasets
    services.close()
    assert everything >= len(PACKAGES)
    third = Quickstart(portal.folder)
    try:
        third.wait_for("Ready.")
        assert "Publishing" not in third.said
        assert third.said.count("@example.org") == 2
        # The index follows within moments.
        wait_until(lambda: third.get("/api/v1/datasets")[1]["total"] == everything, "every dataset")
    finally:
        code = third.end(signal.SIGINT)
    assert code == 0


def test_a_start_can_be_stopped_before_it_answers(portal) -> None:
    early = Quickstart(portal.folder)
    early.wait_for("Data directory")
    wait_until(lambda: len(early.children()) > 1, "its children")
    assert early.end(signal.SIGTERM) == 0
    assert early.lines[-1] == "Stopped."
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", early.port))
