"""What changed from one version of a table to the next, row by row.

Run by the ingest job in the limited child, once a new version has passed every stage. Rows are told apart by
a key where there is one (the schema's, or a column of its own values in both versions), else as whole rows.
The changes go into a CSV file: `added` and `removed` rows, and for a changed row two lines, `before` and
`after`. DuckDB does the comparing and spills to the work folder beyond its share of memory.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEMORY: Final = "384MB"
# More candidates cost time and seldom find a better key: the columns that name a row come first.
MOST_KEYS: Final = 4
FEW: Final = 2
CHANGE_COLUMN: Final = "_change"
_KEY_TYPES: Final = ("string", "int64", "date32[day]")
_LINES: Final = ("added", "removed", "before", "after")


@dataclass(frozen=True, slots=True)
class Differences:
    """Counts of rows and names of columns. `key` is empty where whole rows were compared.

    `changed_columns` counts the changed rows for each column, `retyped` maps a column to its types before and
    after. `path` is the CSV file, None when no row differs; `size` in bytes.
    """

    key: tuple[str, ...]
    rows_before: int
    rows_after: int
    added: int
    removed: int
    changed: int
    changed_columns: Mapping[str, int]
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    retyped: Mapping[str, tuple[str, str]]
    path: Path | None

    @property
    def is_same(self) -> bool:
        """Whether both versions hold the same rows in the same columns."""
        rows = self.added + self.removed + self.changed
        return not (rows or self.columns_added or self.columns_removed or self.retyped)

    def to_json(self) -> dict[str, Any]:
        listed = {name: list(getattr(self, name)) for name in ("key", "columns_added", "columns_removed")}
        retyped = {name: list(types) for name, types in self.retyped.items()}
        path = str(self.path) if self.path else None
        return asdict(self) | listed | {"retyped": retyped, "path": path}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Differences:
        tuples = {name: tuple(data[name]) for name in ("key", "columns_added", "columns_removed")}
        retyped = {name: (types[0], types[1]) for name, types in data["retyped"].items()}
        path = Path(data["path"]) if data["path"] else None
        return cls(**(dict(data) | tuples | {"retyped": retyped, "path": path}))


def compare_tables(before: Path, after: Path, workdir: Path, key: Sequence[str] = ()) -> Differences:
    """Compare two Parquet files of the same table; the changed rows are left in `workdir`.

    `key` names the columns that a schema declares as the primary key; it counts where both versions have it
    and it holds in both.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 2,
        "memory_limit": MEMORY,
        "temp_directory": str(workdir / "duckdb"),
        "autoinstall_known_extensions": False,
        "preserve_insertion_order": False,
    }
    with duckdb.connect(config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return _Comparison(connection, before, after).compare(workdir / "changes.csv", key)


class _Comparison:
    """Two views, `old` and `new`, with positional column names; shared columns have the same position name."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, before: Path, after: Path) -> None:
        self._connection = connection
        old, new = pq.read_schema(before), pq.read_schema(after)
        self._old_types = {field.name: str(field.type) for field in old}
        self._new_types = {field.name: str(field.type) for field in new}
        self._all = [*self._new_types, *(name for name in self._old_types if name not in self._new_types)]
        self._shared = [name for name in self._new_types if name in self._old_types]
        self._as = {name: f"c{position}" for position, name in enumerate(self._all)}
        self._view("old", before, list(self._old_types))
        self._view("new", after, list(self._new_types))

    def compare(self, target: Path, declared: Sequence[str]) -> Differences:
        key = self._key(declared)
        self._collect_by_key(key) if key else self._collect_whole_rows()
        counts = dict(self._rows("SELECT line, count(*) FROM changes GROUP BY 1"))
        changed_columns = self._changed_columns(key) if key else {}
        path = self._write(target, key) if counts else None
        return Differences(
            key=tuple(key),
            rows_before=self._count("old"),
            rows_after=self._count("new"),
            added=counts.get("added", 0),
            removed=counts.get("removed", 0),
            changed=counts.get("after", 0),
            changed_columns=changed_columns,
            columns_added=tuple(name for name in self._new_types if name not in self._old_types),
            columns_removed=tuple(name for name in self._old_types if name not in self._new_types),
            retyped={
                name: (self._old_types[name], self._new_types[name])
                for name in self._shared
                if self._old_types[name] != self._new_types[name]
            },
            path=path,
        )

    def _view(self, name: str, path: Path, columns: Sequence[str]) -> None:
        positions = ", ".join(self._as[column] for column in columns)
        quoted = str(path).replace("'", "''")
        self._connection.execute(f"CREATE VIEW raw_{name}({positions}) AS FROM read_parquet('{quoted}')")
        # A column that changed its type is compared as it is written.
        shown = ", ".join(
            f"CAST({self._as[column]} AS VARCHAR) AS {self._as[column]}"
            if column in self._shared and self._old_types[column] != self._new_types[column]
            else self._as[column]
            for column in columns
        )
        self._connection.execute(f"CREATE VIEW {name} AS SELECT {shown} FROM raw_{name}")

    def _key(self, declared: Sequence[str]) -> list[str]:
        """The declared key, or the column with values of its own that leaves the fewest cells different.

        A running number is such a column too; a row put in on top would then change every row.
        """
        if declared and set(declared) <= set(self._shared) and self._is_key(declared):
            return list(declared)
        kinds = {name: {self._old_types[name], self._new_types[name]} for name in self._shared}
        plain = [name for name, seen in kinds.items() if len(seen) == 1 and seen <= set(_KEY_TYPES)]
        candidates: list[str] = []
        for name in plain:
            if len(candidates) < MOST_KEYS and self._is_key([name]):
                candidates.append(name)
        if len(candidates) < FEW:
            return candidates
        return [min(candidates, key=lambda name: self._cells_different_by([name]))]

    def _is_key(self, names: Sequence[str]) -> bool:
        """No value missing, none twice, in either version."""
        listed = ", ".join(self._as[name] for name in names)
        missing = " OR ".join(f"{self._as[name]} IS NULL" for name in names)
        for table in ("old", "new"):
            [(distinct, rows, nulls)] = self._rows(
                f"SELECT (SELECT count(*) FROM (SELECT DISTINCT {listed} FROM {table})), count(*), "
                f"count(*) FILTER (WHERE {missing}) FROM {table}"
            )
            if nulls or distinct != rows:
                return False
        return True

    def _cells_different_by(self, key: Sequence[str]) -> int:
        cells = " + ".join(
            ["0"]
            + [
                f"(old.{self._as[name]} IS DISTINCT FROM new.{self._as[name]})::INTEGER"
                for name in self._shared
                if name not in key
            ]
        )
        first = self._as[key[0]]
        [(count,)] = self._rows(
            f"SELECT coalesce(sum(CASE WHEN old.{first} IS NULL OR new.{first} IS NULL "
            f"THEN {len(self._shared)} ELSE {cells} END), 0) "
            f"FROM old FULL OUTER JOIN new ON {self._same_key(key)}"
        )
        return int(count)

    def _collect_by_key(self, key: Sequence[str]) -> None:
        first = self._as[key[0]]
        self._connection.execute(
            f"CREATE TEMP TABLE changes AS WITH found AS (SELECT old AS o, new AS n FROM old FULL OUTER JOIN new "
            f"ON {self._same_key(key)} WHERE {self._differs(key)}) "
            f"SELECT 'removed' AS line, o, n FROM found WHERE n.{first} IS NULL "
            f"UNION ALL SELECT 'added', o, n FROM found WHERE o.{first} IS NULL "
            f"UNION ALL SELECT unnest(['before', 'after']), o, n FROM found "
            f"WHERE o.{first} IS NOT NULL AND n.{first} IS NOT NULL"
        )

    def _collect_whole_rows(self) -> None:
        """Rows in one version more often than in the other, by what both versions have."""
        listed = self._listed(self._shared)
        sides = [
            self._only_in(table, other, line, listed)
            for table, other, line in (("old", "new", "removed"), ("new", "old", "added"))
        ]
        self._connection.execute(f"CREATE TEMP TABLE changes AS {' UNION ALL BY NAME '.join(sides)}")

    def _only_in(self, table: str, other: str, line: str, listed: str) -> str:
        """Each surplus row once, whole: the n-th of equal rows that the other version has fewer of."""
        if not listed:
            return f"SELECT '{line}' AS line, * FROM {table}"
        same = " AND ".join(
            f"t.{self._as[name]} IS NOT DISTINCT FROM u.{self._as[name]}" for name in self._shared
        )
        return (
            f"SELECT '{line}' AS line, t.* EXCLUDE (turn) FROM "
            f"(SELECT *, row_number() OVER (PARTITION BY {listed}) AS turn FROM {table}) t LEFT JOIN "
            f"(SELECT {listed}, count(*) AS times FROM {other} GROUP BY ALL) u ON {same} "
            f"WHERE turn > coalesce(u.times, 0)"
        )

    def _changed_columns(self, key: Sequence[str]) -> dict[str, int]:
        compared = [name for name in self._shared if name not in key]
        if not compared:
            return {}
        counted = ", ".join(
            f"count(*) FILTER (WHERE o.{self._as[name]} IS DISTINCT FROM n.{self._as[name]})"
            for name in compared
        )
        [counts] = self._rows(f"SELECT {counted} FROM changes WHERE line = 'after'")
        return {name: count for name, count in zip(compared, counts, strict=True) if count}

    def _write(self, target: Path, key: Sequence[str]) -> Path:
        """The changes as CSV, key by key, with the names of the columns."""
        columns = ", ".join(f"{self._cell(name, key)} AS {_quoted(name)}" for name in self._all)
        order = ", ".join(f"coalesce(n.{self._as[name]}, o.{self._as[name]})" for name in key)
        lines = ", ".join(f"'{line}'" for line in _LINES)
        turns = f"list_position([{lines}], line)"
        sorted_by = f"{order}, {turns}" if key else f"{turns}, {self._listed(self._all)}"
        head = _quoted(_free_name(CHANGE_COLUMN, self._all))
        path = str(target).replace("'", "''")
        self._connection.execute(
            f"COPY (SELECT line AS {head}, {columns} FROM changes ORDER BY {sorted_by}) "
            f"TO '{path}' (FORMAT csv, HEADER true)"
        )
        return target

    def _cell(self, name: str, key: Sequence[str]) -> str:
        """SQL for one cell of a line; the side that a line shows may lack the column."""
        column = self._as[name]
        if not key:
            return column
        old = f"CAST(o.{column} AS VARCHAR)" if name in self._old_types else "NULL"
        new = f"CAST(n.{column} AS VARCHAR)" if name in self._new_types else "NULL"
        return f"CASE WHEN line IN ('removed', 'before') THEN {old} ELSE {new} END"

    def _same_key(self, key: Sequence[str]) -> str:
        return " AND ".join(f"old.{self._as[name]} = new.{self._as[name]}" for name in key)

    def _differs(self, key: Sequence[str]) -> str:
        first = self._as[key[0]]
        cells = [
            f"old.{self._as[name]} IS DISTINCT FROM new.{self._as[name]}"
            for name in self._shared
            if name not in key
        ]
        return " OR ".join([f"old.{first} IS NULL", f"new.{first} IS NULL", *cells])

    def _listed(self, names: Sequence[str]) -> str:
        return ", ".join(self._as[name] for name in names)

    def _count(self, table: str) -> int:
        [(count,)] = self._rows(f"SELECT count(*) FROM {table}")
        return int(count)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query).fetchall()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _free_name(wanted: str, taken: Sequence[str]) -> str:
    """`wanted`, or a longer name where a column is called so already; SQL takes case for no difference."""
    used = {name.casefold() for name in taken}
    name = wanted
    while name.casefold() in used:
        name = f"_{name}"
    return name
