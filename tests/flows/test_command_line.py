"""The command line: what it does, and one sentence with an exit code above zero where it cannot."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from opendata.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

GOOD = "đủ dài cho mật khẩu"
CSV = "mã,tên\n01,Ea Súp\n02,Krông Pắc\n"

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # each command ends its process


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command on a data directory that does not exist yet; never a traceback."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENDATA_DATA_DIR", str(tmp_path / "data"))

    def invoke(*arguments: str, **environment: str) -> Result:
        result = CliRunner().invoke(
            main, arguments, env={f"OPENDATA_{name.upper()}": value for name, value in environment.items()}
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    return invoke


@pytest.fixture
def ready(run: Callable[..., Result], prepared_folder: Path, tmp_path: Path) -> Callable[..., Result]:
    """The same on a migrated portal with its agencies."""
    shutil.copytree(prepared_folder, tmp_path / "data")
    return run


def sentence(result: Result) -> str:
    """The one line of an error."""
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


@pytest.mark.parametrize(
    ("setting", "value", "word"),
    [
        ("port", "abc", "OPENDATA_PORT"),
        ("job_workers", "0", "OPENDATA_JOB_WORKERS"),
        ("data_dir", "/proc/opendata", "/proc/opendata"),
        ("database_url", "postgresql+psycopg://nobody@127.0.0.1:1/x", "database"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(run, setting: str, value: str, word: str) -> None:
    assert word in sentence(run("migrate", **{setting: value}))


@pytest.mark.parametrize(
    "command",
    [
        ["user", "list"],
        ["agency", "list"],
        ["token", "issue", "lan@example.org"],
        ["reindex"],
        ["seed"],
    ],
)
def test_a_folder_without_a_portal_is_said(run, tmp_path, command: list[str]) -> None:
    (tmp_path / "data").mkdir()
    assert "database" in sentence(run(*command))


def test_serving_needs_a_secret(run) -> None:
    for secret in ("", "short"):
        assert "OPENDATA_SECRET_KEY" in sentence(run("serve", secret_key=secret))


def test_migrating_says_from_where_to_where(run) -> None:
    assert "empty →" in run("migrate").stdout
    assert run("migrate").exit_code == 0


def test_check_lists_the_parts_and_fails_when_one_is_not_well(ready, tmp_path) -> None:
    assert ready("check").exit_code == 0
    shutil.rmtree(tmp_path / "data" / "files")
    report = ready("check")
    assert report.exit_code == 1
    assert "the file store was not prepared" in report.stdout
    listed = ready("check", "--settings")
    assert "OPENDATA_DATABASE_URL=" in listed.stdout
    assert "secret-of-mine" not in ready("check", "--settings", secret_key="secret-of-mine").stdout


def test_people_and_tokens(ready) -> None:
    added = ready("user", "add", "lan@example.org", "--name", "Lan", "--password", GOOD)
    assert added.exit_code == 0
    assert "already" in sentence(ready("user", "add", "LAN@example.org", "--password", GOOD))
    wrong = sentence(ready("user", "add", "lan", "--password", "ngắn"))
    assert "email:" in wrong
    assert "password:" in wrong
    assert ready("user", "password", "lan@example.org", "--password", GOOD).exit_code == 0
    sentence(ready("user", "password", "khong@example.org", "--password", GOOD))
    assert "lan@example.org" in ready("user", "list").stdout
    assert ready("token", "issue", "lan@example.org").stdout.startswith("odp_")
    sentence(ready("token", "issue", "khong@example.org"))
    assert "366" in sentence(ready("token", "issue", "lan@example.org", "--days", "9999"))


def test_publishing_without_a_worker_is_done_here(ready, tmp_path) -> None:
    file = tmp_path / "huyện.csv"
    file.write_text(CSV)
    arguments = [
        "publish",
        str(file),
        "--agency",
        "BKHCN",
        "--title",
        "Các huyện Đắk Lắk",
        "--dataset",
        "huyen",
    ]
    done = ready(*arguments)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1].endswith("/datasets/huyen")
    assert "2 × 2" in done.stdout
    found = ready("search", "cac huyen dak lak", "--json")
    assert json.loads(found.stdout)["items"][0]["slug"] == "huyen"
    file.write_text(CSV + "03,Buôn Đôn\n")
    assert "3 × 2" in ready(*arguments).stdout
    assert json.loads(ready("search", "huyen", "--json").stdout)["total"] == 1


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"\x00" * 5000, "not published"),
        (",".join(f"c{number}" for number in range(200)).encode() + b"\n", "not published"),
        (b"PK\x03\x04" + b"\x00" * 26 + b"PK\x05\x06" + b"\x00" * 18, "not published"),
    ],
    ids=["empty", "nul", "no-rows", "archive"],
)
def test_a_bad_file_is_said_in_words(ready, tmp_path, content: bytes, word: str) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(content)
    result = ready("publish", str(file), "--agency", "BKHCN", "--title", "x", "--dataset", "x")
    assert result.exit_code == 1
    assert word in result.stderr.splitlines()[-1]
    assert all(line.strip() for line in result.stderr.splitlines())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--agency", "KHONG.CO", "--title", "x"],
        ["--agency", "BKHCN", "--title", ""],
        ["--agency", "BKHCN", "--title", "x", "--dataset", "Không phải địa chỉ"],
        ["--agency", "BKHCN", "--title", "x", "--theme", "khong-co"],
    ],
)
def test_wrong_words_about_a_file_are_named(ready, tmp_path, arguments: list[str]) -> None:
    (tmp_path / "x.csv").write_text(CSV)
    assert ":" in sentence(ready("publish", str(tmp_path / "x.csv"), *arguments))[len("Error:") :]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"fields": 1}', "\ufeffx"])
def test_a_schema_that_is_none_is_said(ready, tmp_path, content: str) -> None:
    (tmp_path / "x.csv").write_text(CSV)
    (tmp_path / "schema.json").write_text(content)
    arguments = ["--agency", "BKHCN", "--title", "x", "--schema", str(tmp_path / "schema.json")]
    assert "Table Schema" in sentence(ready("publish", str(tmp_path / "x.csv"), *arguments))


def test_wrong_usage_is_explained(ready) -> None:
    for arguments in (
        ["nothing-of-the-kind"],
        ["publish"],
        ["publish", "khong-co.csv", "--agency", "BKHCN", "--title", "x"],
        ["search", "x", "--sort", "random"],
        ["quickstart", "--port", "70000"],
    ):
        result = ready(*arguments)
        assert result.exit_code == 2
        assert "Error: " in result.stderr
    assert "“page”" in sentence(ready("search", "x", "--page", "-1"))


def test_verify_finds_the_file_that_was_damaged(ready, tmp_path) -> None:
    file = tmp_path / "x.csv"
    file.write_text(CSV)
    assert ready("publish", str(file), "--agency", "BKHCN", "--title", "x").exit_code == 0
    assert "0 damaged" in ready("verify").stdout
    kept = next(path for path in (tmp_path / "data" / "files").glob("??/??/*"))
    kept.chmod(0o640)
    kept.write_bytes(kept.read_bytes()[:-1] + b"!")
    result = ready("verify")
    assert result.exit_code == 1
    assert kept.name in result.stdout
    assert "1 damaged" in result.stdout


def test_the_index_can_be_made_again(ready, tmp_path) -> None:
    (tmp_path / "x.csv").write_text(CSV)
    ready("publish", str(tmp_path / "x.csv"), "--agency", "BKHCN", "--title", "Tìm lại được")
    shutil.rmtree(tmp_path / "data" / "search")
    plain = json.loads(ready("search", "tim lai duoc", "--json").stdout)  # the database answers meanwhile
    assert plain["total"] == 1
    assert not (tmp_path / "data" / "search" / "CURRENT").exists()
    assert "1 dataset" in ready("reindex").stdout
    assert json.loads(ready("search", "tim lai duoc", "--json").stdout)["total"] == 1


@pytest.mark.parametrize("language", ["vi_VN.UTF-8", "en_US.UTF-8"])
def test_sentences_follow_the_terminals_language(
    ready, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", language)
    said = sentence(ready("token", "issue", "khong@example.org"))
    assert ("There is nothing" in said) == language.startswith("en")


def test_every_command_shows_an_example() -> None:
    def commands(group, prefix=()):
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from commands(command, (*prefix, name))
            else:
                yield (*prefix, name)

    for path in commands(main):
        shown = CliRunner().invoke(main, [*path, "--help"])
        assert shown.exit_code == 0
        assert "Example:" in shown.stdout, path


def test_faulty_rows_and_personal_data_are_decided_on_the_command_line(ready, tmp_path) -> None:
    (tmp_path / "s.json").write_text('{"fields": [{"name": "a", "type": "integer"}, {"name": "b"}]}')
    (tmp_path / "x.csv").write_text("a,b\n1,x\ny,z\n")
    command = ["publish", str(tmp_path / "x.csv"), "--agency", "BKHCN", "--title", "Bảng lỗi"]
    schema = ["--schema", str(tmp_path / "s.json")]
    assert ready(*command, *schema).exit_code == 1
    done = ready(*command, *schema, "--faulty-rows", "set-aside")
    assert done.exit_code == 0, done.stderr
    assert "1 × 2" in done.stdout
    people = "họ tên,số căn cước\n" + "".join(f"Lê Thị {chr(65 + n)},0011900{n:05d}\n" for n in range(12))
    (tmp_path / "p.csv").write_text(people)
    command = ["publish", str(tmp_path / "p.csv"), "--agency", "BKHCN", "--title", "Người"]
    held = ready(*command)
    assert held.exit_code == 1
    assert "--personal-data-checked" in held.stderr
    assert "001190000000" not in held.stdout + held.stderr
    assert ready(*command, "--personal-data-checked").exit_code == 0
