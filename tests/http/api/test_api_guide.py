"""docs/api.md against the portal: every operation is in it, and its examples run in order as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from opendata.accounts.policy import COMMAND_LINE, Role
from opendata.job_wiring import build_job_runner

GUIDE = Path(__file__).parents[3] / "docs" / "api.md"


def test_every_operation_is_in_the_guide(library: Any) -> None:
    listed = set(
        re.findall(r"^\| `([A-Z]+) (/[^`?]*)[^`]*` \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    )
    documented = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, item in library.contract.document["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert listed == documented


def test_the_guide_runs_as_it_stands(served: tuple[Any, Any], publish_seed: Any, tmp_path: Path) -> None:
    portal, _ = served
    publish_seed(portal, {"chi-tieu-chinh-phu-dien-tu"})
    portal.accounts.add_person(COMMAND_LINE, email="a@example.org", name="A", password="mật-khẩu-rất-dài")
    portal.accounts.set_role(COMMAND_LINE, "a@example.org", "BKHCN", Role.EDITOR)
    shell = {
        "PORTAL": portal.settings.base_url,
        "OPENDATA_TOKEN": portal.accounts.issue_token(COMMAND_LINE, "a@example.org", "guide"),
        "AGENCY": "BKHCN",
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
    }
    blocks = re.findall(
        r"^```(sh|python)\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    shell_text = "".join(code for kind, code in blocks if kind == "sh").replace(
        "curl ", "curl --fail-with-body -S "
    )
    stop = threading.Event()
    worker = threading.Thread(target=_work, args=(portal, stop))
    worker.start()
    try:
        _run(["bash", "-euo", "pipefail", "-c", shell_text], shell, tmp_path)
        for kind, code in blocks:
            if kind == "python":
                _run([sys.executable, "-c", code], shell, tmp_path)
    finally:
        stop.set()
        worker.join()
    assert (tmp_path / "table.parquet").read_bytes().startswith(b"PAR1")
    published = portal.catalogue_queries.dataset(COMMAND_LINE, "tram-do-mua")
    assert (published.state, published.fields["frequency"]) == ("published", "ANNUAL")
    assert portal.catalogue_queries.dataset(COMMAND_LINE, "tram-do-gio").state == "published"


def _work(portal: Any, stop: threading.Event) -> None:
    runner = build_job_runner(portal)
    while not stop.wait(0.2):
        runner.run_waiting()


def _run(command: list[str], shell: dict[str, str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, env=shell, capture_output=True, check=False, timeout=300)
    if done.returncode:
        pytest.fail(f"{done.stdout[-800:].decode()}\n{done.stderr[-800:].decode()}")
