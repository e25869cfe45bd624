"""The house rules that a tool can hold: sizes, names, settings and messages documented and translated."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from opendata.settings import Settings

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for path in (ROOT / "opendata").rglob("*.py") if "_bundled" not in path.parts)
LONGEST_MODULE = 500
LONGEST_FUNCTION = 80
LONGEST_VIEW = 25
EMPTY_NAMES = {"utils", "helpers", "common", "misc", "manager"}
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
METHODS = [
    ("opendata/**.py", "python"),
    ("opendata/**.html", "jinja2.ext:babel_extract"),
    ("opendata/**.xml", "jinja2.ext:babel_extract"),
]


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_modules_stay_small() -> None:
    sizes = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in SOURCES}
    assert {name: size for name, size in sizes.items() if size > LONGEST_MODULE} == {}


def test_functions_stay_small() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.name}": length(node)
        for path in SOURCES
        for node in functions(path)
        if length(node) > LONGEST_FUNCTION
    }
    assert long == {}


def test_views_stay_thin() -> None:
    """A view parses, calls one service or query, renders; and holds no SQL."""
    fat = {}
    for path in SOURCES:
        if path.parts[len(ROOT.parts) + 1] not in {"api", "web"}:
            continue
        assert "sqlalchemy" not in path.read_text(encoding="utf-8"), f"{path} speaks SQL"
        for node in functions(path):
            is_view = any(
                re.search(r"\.(route|get|post|put|patch|delete)\(", ast.unparse(d))
                for d in node.decorator_list
            )
            body = node.end_lineno - node.body[0].lineno + 1 if node.end_lineno else 0
            if is_view and body > LONGEST_VIEW:
                fat[f"{path.relative_to(ROOT)}:{node.name}"] = body
    assert fat == {}


def test_names_say_something() -> None:
    assert [str(path) for path in SOURCES if path.stem in EMPTY_NAMES] == []


def test_modules_open_with_their_purpose() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.name not in {"__init__.py", "__main__.py"}
        and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_every_setting_is_documented() -> None:
    documented = set(re.findall(r"`OPENDATA_([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text()))
    named = {item.name.upper() for item in dataclasses.fields(Settings)}
    assert documented - {"DEBUG"} == named


@pytest.fixture(scope="module")
def vietnamese():
    with (ROOT / "opendata/translations/vi/LC_MESSAGES/messages.po").open("rb") as source:
        return read_po(source, locale="vi")


@pytest.fixture(scope="module")
def messages() -> dict[str | tuple[str, ...], set[str]]:
    """Every message in the program, with the files it stands in."""
    found: dict[str | tuple[str, ...], set[str]] = {}
    options = {"**.html": {"trimmed": "true", "newstyle_gettext": "true"}}
    for name, _line, message, _comments, _context in extract_from_dir(
        ROOT, method_map=METHODS, keywords=KEYWORDS, options_map=options
    ):
        found.setdefault(message, set()).add(name)
    return found


def test_extraction_finds_messages_everywhere(messages) -> None:
    files = {name for names in messages.values() for name in names}
    assert any(name.endswith(".html") for name in files)
    assert any(name.endswith("errors.py") for name in files)
    assert len(messages) > 100


def test_every_message_is_translated(messages, vietnamese) -> None:
    missing = [
        message
        for message in messages
        if not (entry := vietnamese.get(message if isinstance(message, str) else message[0]))
        or not entry.string
    ]
    assert missing == []


def test_translations_keep_the_parameters(messages, vietnamese) -> None:
    """`%(name)s` must stand in both languages, or filling in fails when the page is shown."""
    wrong = []
    for entry in vietnamese:
        if not entry.id:
            continue
        ids = entry.id if isinstance(entry.id, tuple) else (entry.id,)
        strings = entry.string if isinstance(entry.string, tuple) else (entry.string,)
        wanted = {name for text in ids for name in re.findall(r"%\((\w+)\)s", text)}
        given = {name for text in strings for name in re.findall(r"%\((\w+)\)s", text)}
        if given - wanted or (wanted - given and not isinstance(entry.id, tuple)):
            wrong.append((entry.id, sorted(wanted ^ given)))
    assert wrong == []


def test_no_translation_is_left_over(messages, vietnamese) -> None:
    known = {message if isinstance(message, str) else message[0] for message in messages}
    held = {entry.id if isinstance(entry.id, str) else entry.id[0] for entry in vietnamese if entry.id}
    assert sorted(held - known) == []


FORBIDDEN = re.compile(
    r"\b(TODO|FIXME|XXX|coming soon|lorem ipsum)\b|except( Exception)?:\s*pass", re.IGNORECASE
)


def test_nothing_is_half_done() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*SOURCES, *(ROOT / "opendata").rglob("*.html")]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if FORBIDDEN.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.stem)
def test_docs_name_files_that_exist(page: Path) -> None:
    named = re.findall(
        r"`((?:opendata|tests|catalog_schemas|seed_datasets|benchmarks|docs)/[\w./-]*)`", page.read_text()
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_performance_page_names_every_benchmark() -> None:
    page = (ROOT / "docs" / "performance.md").read_text()
    scripts = {path.name for path in (ROOT / "benchmarks").glob("*.py")} - {"portal_under_test.py"}
    assert {name for name in scripts if name not in page} == set()
