"""The programs printed on a dataset's page run as they are printed, against a live portal."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html import unescape
from urllib.request import urlopen

import pytest

CSV = "ma,ten,dan_so\n" + "".join(f"{n:02d},Tỉnh {n},{n * 1111}\n" for n in range(1, 31))


@pytest.fixture
def programs(live, publish) -> dict[str, str]:
    """Programs by the name of their tool, read from the page as a person copies them."""
    slug, _ = publish("Dân số các tỉnh", CSV)
    with urlopen(f"{live.address}/en/datasets/{slug}") as answer:  # noqa: S310 - our own server
        html = answer.read().decode()
    use = html.partition('id="use"')[2].partition("</section>")[0]
    found = re.findall(
        r"<summary>(.*?)</summary>\s*<div class=\"copyable\".*?<code>(.*?)</code>", use, re.DOTALL
    )
    return {name: unescape(code) for name, code in found}


def test_each_tool_has_its_program(programs) -> None:
    assert set(programs) == {"Python", "R", "curl", "DuckDB"}


def test_python(programs, tmp_path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", programs["Python"]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "Tỉnh 1" in run.stdout
    assert re.search(r"\b01\b", run.stdout)  # the zero of the code is still there


def test_curl(programs, tmp_path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    run = subprocess.run(
        ["sh", "-ec", programs["curl"]], cwd=tmp_path, capture_output=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    (saved,) = tmp_path.glob("*.csv")
    assert saved.read_text(encoding="utf-8").replace("\r\n", "\n") == CSV
    assert '"rows"' in run.stdout.decode()


def test_duckdb(programs, tmp_path) -> None:
    """The SQL is run by DuckDB's Python package: its command-line program is the same engine."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    stand_in = tmp_path / "bin" / "duckdb"
    stand_in.parent.mkdir()
    stand_in.write_text(f"#!{sys.executable}\nimport sys, duckdb\nprint(duckdb.sql(sys.argv[2]))\n")
    stand_in.chmod(0o755)
    run = subprocess.run(
        ["sh", "-ec", programs["DuckDB"]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={
            "PATH": f"{stand_in.parent}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONIOENCODING": "utf-8",
        },
    )
    assert run.returncode == 0, run.stderr
    assert "Tỉnh 1" in run.stdout
