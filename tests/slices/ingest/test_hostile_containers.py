"""Containers made to do harm: refused with a reason that a person can act on, in little memory, in a child too.

What each one aims at stands beside it. `hostile` runs the whole pipeline in a limited child, which also tells how
much memory it took beyond what it began with.
"""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import json
import struct
import sys
import zipfile
import zlib

import openpyxl
import pytest

from opendata.resources.ingest.limits import Limits, run_limited, stop_nursery
from opendata.tabular.conversion import convert_file

MEGABYTE = 1 << 20
MOST_GROWTH = 50 * MEGABYTE
MEASURED = '''
from pathlib import Path
from opendata.resources.ingest.pipeline import ingest_file

def memory(name):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024

def measured(source, filename, workdir):
    """Ingest a file; what was said, and the most memory held at any time beyond what was held before."""
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    result = ingest_file(Path(source), filename, Path(workdir) / "work")
    return {
        "codes": [problem.code for problem in result.problems if problem.severity == "error"],
        "tables": len(result.tables),
        "reason": result.no_table_reason.code if result.no_table_reason else None,
        "grown": memory("VmHWM") - before,
    }
'''
CSV = b"a,b\n1,2\n"


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    folder = tmp_path_factory.mktemp("measured")
    (folder / "measured_ingest.py").write_text(MEASURED)
    stop_nursery()
    sys.path.insert(0, str(folder))
    yield importlib.import_module("measured_ingest")
    sys.path.remove(str(folder))
    stop_nursery()


@pytest.fixture
def hostile(module, tmp_path):
    """Ingest in a child with little of everything."""

    def run(content: bytes, filename: str) -> dict:
        (tmp_path / "work").mkdir()
        source = tmp_path / "source"
        source.write_bytes(content)
        limits = Limits(cpu_seconds=30, wall_seconds=120)
        found = run_limited(module.measured, (str(source), filename, str(tmp_path)), limits=limits)
        assert isinstance(found, dict), found
        assert list(tmp_path.glob("work/unpacked-*")) == []
        return found

    return run


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as container:
        for name, content in members.items():
            container.writestr(name, content)
    return target.getvalue()


def deflated_zeros(megabytes: int) -> bytes:
    """A deflate stream of zeros, made without holding them."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = bytes(MEGABYTE)
    return b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()


def central(name: bytes, packed: int, unpacked: int, offset: int, **more: int) -> bytes:
    return (
        struct.pack(
            "<4s4B4HL2L5H2L",
            b"PK\x01\x02",
            20,
            more.get("system", 3),
            20,
            0,
            more.get("flags", 0),
            more.get("method", 8),
            0,
            0,
            more.get("checksum", 0),
            packed,
            unpacked,
            len(name),
            more.get("extra", 0),
            0,
            0,
            0,
            more.get("mode", 0o100644) << 16,
            offset,
        )
        + name
    )


def local(name: bytes, content: bytes, unpacked: int, **more: int) -> bytes:
    head = struct.pack(
        "<4s2B4HL2L2H",
        b"PK\x03\x04",
        20,
        0,
        more.get("flags", 0),
        more.get("method", 8),
        0,
        0,
        more.get("checksum", 0),
        len(content),
        unpacked,
        len(name),
        0,
    )
    return head + name + content


def ended(body: bytes, directory: bytes, count: int, **more: int) -> bytes:
    end = struct.pack(
        "<4s4H2LH",
        b"PK\x05\x06",
        0,
        0,
        count,
        count,
        more.get("length", len(directory)),
        more.get("start", len(body)),
        0,
    )
    return body + directory + end


def made(name: bytes, content: bytes, unpacked: int, **more: int) -> bytes:
    """A ZIP of one member that says of itself whatever it is told to."""
    body = local(name, content, unpacked, **more)
    return ended(body, central(name, len(content), unpacked, 0, **more), 1)


def overlapping(count: int) -> bytes:
    """Many entries of the list that share one kernel of packed bytes."""
    kernel = deflated_zeros(8)
    body = local(b"a.csv", kernel, 8 * MEGABYTE)
    directory = b"".join(central(b"a.csv", len(kernel), 8 * MEGABYTE, 0) for _ in range(count))
    return ended(body, directory, count)


def quoted_overlap() -> bytes:
    """The kind known as “a better zip bomb”: each member's bytes begin with the header of the next."""
    kernel = local(b"b.csv", deflated_zeros(8), 8 * MEGABYTE)
    body = local(b"a.csv", kernel, len(kernel), method=0)
    inner = len(body) - len(kernel)
    directory = central(b"a.csv", len(kernel), len(kernel), 0, method=0) + central(
        b"b.csv", len(kernel) - 35, 8 * MEGABYTE, inner
    )
    return ended(body, directory, 2)


def zip64(unpacked: int, packed: int) -> bytes:
    content = zlib.compress(CSV)[2:-4]
    name = b"a.csv"
    extra = struct.pack("<2H2Q", 1, 16, unpacked, packed)
    body = local(name, content, len(CSV), checksum=zlib.crc32(CSV))
    directory = central(name, 0xFFFFFFFF, 0xFFFFFFFF, 0, extra=len(extra), checksum=zlib.crc32(CSV)) + extra
    return ended(body, directory, 1)


def linked(mode: int) -> bytes:
    content = b"/etc/passwd"
    more = {"method": 0, "mode": mode, "checksum": zlib.crc32(content)}
    return made(b"a.csv", content, len(content), **more)


def workbook_with(part: str, content: bytes) -> bytes:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["a", "b"])
    book.worksheets[0].append(["x", "y"])
    plain = io.BytesIO()
    book.save(plain)
    with zipfile.ZipFile(plain) as container:
        members = {name: container.read(name) for name in container.namelist()}
    return zipped({**members, part: content})


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, (b"&%c;" % (97 + n)) * 10) for n in range(12))
    + b"]><sst><si><t>&m;</t></si></sst>"
)
FETCHED = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><sst><si><t>&a;</t></si></sst>'
HIDDEN_DECLARATION = b"<?xml version='1.0'?><!-- " + b"<a> " * 20_000 + b" -->" + FETCHED
NAMES = [
    "../a.csv",
    "x/../../a.csv",
    "/etc/a.csv",
    "C:/a.csv",
    "c:a.csv",
    "x\\a.csv",
    "..\\a.csv",
    "x/./a.csv",
    "x//a.csv",
    "con.csv",
    "x/NUL",
    "x/lpt1.txt.csv",
    "a\x01.csv",
]
COUNTED = b"".join(central(b"%06d" % number, 0, 0, 0) for number in range(30_000))
ZEROS = deflated_zeros(200)

REFUSED = {
    "member that unpacks 1,000 to 1": (made(b"a.csv", ZEROS, 200 * MEGABYTE), "x.zip", "archive-bomb"),
    "member that says it is small": (made(b"a.csv", ZEROS, 1000), "x.zip", "archive-member-damaged"),
    "member that says it is more than deflate can hold": (
        made(b"a.csv", deflated_zeros(1), 3 << 30),
        "x.zip",
        "archive-inconsistent",
    ),
    "stored member of another size": (
        made(b"a.csv", CSV, 3 << 30, method=0),
        "x.zip",
        "archive-inconsistent",
    ),
    "members that share their bytes": (overlapping(1000), "x.zip", "archive-overlapping"),
    "members inside each other": (quoted_overlap(), "x.zip", "archive-overlapping"),
    "gzip that unpacks 1,000 to 1": (
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + ZEROS + bytes(8),
        "x.csv.gz",
        "archive-bomb",
    ),
    "gzip cut off": (gzip.compress(CSV * 1000)[:-20], "x.csv.gz", "archive-member-damaged"),
    "gzip of another checksum": (gzip.compress(CSV)[:-8] + bytes(8), "x.csv.gz", "archive-member-damaged"),
    "gzip with something after": (gzip.compress(CSV) + b"PK\x03\x04", "x.csv.gz", "archive-member-damaged"),
    "zip64 sizes that lie": (zip64(1 << 40, len(CSV)), "x.zip", "archive-inconsistent"),
    "zip64 sizes beyond the file": (zip64(len(CSV), 1 << 50), "x.zip", "archive-overlapping"),
    "list longer than the file": (
        ended(local(b"a.csv", CSV, 8, method=0), b"", 1, length=1 << 31),
        "x.zip",
        "archive-inconsistent",
    ),
    "list of too many": (ended(local(b"000000", b"", 0), COUNTED, 30_000), "x.zip", "archive-too-many"),
    "list of fewer than are there": (
        ended(local(b"a", b"", 0), central(b"a", 0, 0, 0) * 2, 1),
        "x.zip",
        "archive-inconsistent",
    ),
    "list that starts elsewhere": (
        ended(local(b"a.csv", b"", 0), central(b"a.csv", 0, 0, 0), 1, start=3),
        "x.zip",
        "archive-inconsistent",
    ),
    "member whose header has another name": (
        ended(local(b"b.csv", b"", 0), central(b"a.csv", 0, 0, 0), 1),
        "x.zip",
        "archive-inconsistent",
    ),
    "member that is nowhere": (
        ended(local(b"a.csv", b"", 0), central(b"a.csv", 0, 0, 5000), 1),
        "x.zip",
        "archive-inconsistent",
    ),
    "two members of one name": (
        ended(
            local(b"a.csv", b"", 0) * 2,
            central(b"a.csv", 0, 0, 0) + central(b"a.csv", 0, 0, 35),
            2,
        ),
        "x.zip",
        "archive-duplicate-name",
    ),
    "symbolic link": (linked(0o120777), "x.zip", "archive-link"),
    "device": (linked(0o020644), "x.zip", "archive-link"),
    "named pipe": (linked(0o010644), "x.zip", "archive-link"),
    "encrypted member": (made(b"a.csv", bytes(40), 28, flags=1), "x.zip", "archive-locked"),
    "member cut off inside": (made(b"a.csv", zlib.compress(CSV)[2:7], 8), "x.zip", "archive-member-damaged"),
    "member of another checksum": (
        made(b"a.csv", zlib.compress(CSV)[2:-4], len(CSV)),
        "x.zip",
        "archive-member-damaged",
    ),
    "workbook part that says it is small": (
        made(b"xl/workbook.xml", ZEROS, 1000),
        "x.xlsx",
        "archive-damaged",
    ),
    "workbook that unpacks 1,000 to 1": (
        made(b"xl/workbook.xml", ZEROS, 200 * MEGABYTE),
        "x.xlsx",
        "archive-bomb",
    ),
    "workbook with billion laughs": (
        workbook_with("xl/sharedStrings.xml", LAUGHS),
        "x.xlsx",
        "xml-declarations",
    ),
    "workbook that fetches a file": (
        workbook_with("xl/sharedStrings.xml", FETCHED),
        "x.xlsx",
        "xml-declarations",
    ),
    "workbook that hides a declaration": (
        workbook_with("xl/worksheets/sheet1.xml", HIDDEN_DECLARATION),
        "x.xlsx",
        "xml-declarations",
    ),
    "declaration in another encoding": (
        workbook_with("xl/sharedStrings.xml", FETCHED.decode().encode("utf-16")),
        "x.xlsx",
        "xml-declarations",
    ),
    "open document with billion laughs": (
        zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": LAUGHS}),
        "x.ods",
        "xml-declarations",
    ),
    "program named csv": (b"MZ\x90\0" + bytes(range(256)) * 20, "x.csv", "holds-nul"),
    "program named xlsx": (b"MZ\x90\0" + bytes(range(256)) * 20, "x.xlsx", "workbook-unreadable"),
    "script of elf named csv": (b"\x7fELF\x02\x01\x01" + bytes(500), "x.csv", "holds-nul"),
    "lists in lists": (b"[" * 5_000_000, "x.json", "json-too-deep"),
    "objects in objects": (b'{"a":' * 1_000_000, "x.json", "json-too-deep"),
    "a million columns": (
        b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n1\n",
        "x.csv",
        "too-many-columns",
    ),
    "a million names": (
        json.dumps([{f"c{number}": 1} for number in range(10_000)]).encode(),
        "x.json",
        "too-many-columns",
    ),
    "a million lists": (
        json.dumps({f"c{number}": [1] for number in range(100_000)}).encode(),
        "x.json",
        "json-not-records",
    ),
    **{
        f"name {name!r}": (
            zipped({"b.csv": CSV, name.replace("\\", "/"): CSV}),
            "x.zip",
            "archive-unsafe-name",
        )
        for name in NAMES
        if "\\" not in name
    },
    **{
        f"name {name!r}": (
            made(name.encode(), CSV, 8, method=0, checksum=zlib.crc32(CSV)),
            "x.zip",
            "archive-unsafe-name",
        )
        for name in (*(name for name in NAMES if "\\" in name), "a.csv\0.exe")
    },
}


@pytest.mark.parametrize(("content", "filename", "code"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_with_a_reason_and_in_little_memory(content, filename, code, hostile) -> None:
    found = hostile(content, filename)
    assert (found["codes"], found["tables"]) == ([code], 0)
    assert found["grown"] < MOST_GROWTH


def test_an_archive_that_holds_itself_is_not_opened(hostile) -> None:
    inner = zipped({f"{number}.zip": zipped({"a.csv": CSV}) for number in range(16)})
    found = hostile(zipped({"0.zip": inner}), "42.zip")
    assert (found["reason"], found["tables"]) == ("not-tabular", 0)


def test_numbers_without_end_are_text(hostile) -> None:
    found = hostile(
        b'[{"a": ' + b"9" * 1_000_000 + b', "b": 1e999999999, "c": -0.' + b"0" * 9999 + b"1}]", "x.json"
    )
    assert (found["codes"], found["tables"]) == ([], 1)


def test_formulas_in_text_are_neither_run_nor_changed(ingest, rows_of, tmp_path) -> None:
    """A cell that starts like a formula is data: -5 and +84 are as well. It goes out as it came in."""
    cells = ["=1+1", "=cmd|' /C calc'!A0", "+84 912", "-", "@SUM(A1)", "=HYPERLINK('http://x')"]
    text = "a,b\n" + "".join(f'"{cell}",x\n' for cell in cells)
    assert [row["a"] for row in rows_of(ingest(text))] == cells
    book = openpyxl.Workbook()
    for row in (["a", "b"], *([cell, "x"] for cell in cells)):
        book.worksheets[0].append(row)
    for row in book.worksheets[0].iter_rows(min_row=2):
        row[0].data_type = "s"
    target = io.BytesIO()
    book.save(target)
    assert [row["a"] for row in rows_of(ingest(target.getvalue(), "x.xlsx"))] == cells
    source, out = tmp_path / "x.csv", tmp_path / "out.csv"
    source.write_text(text)
    convert_file(source, out, None)
    assert [row[0] for row in csv.reader(io.StringIO(out.read_text("utf-8-sig"), newline=""))] == [
        "a",
        *cells,
    ]


def test_an_archive_cut_off_anywhere_is_refused_or_kept(ingest) -> None:
    whole = zipped({"a.csv": CSV * 50, "b.json": b'[{"a": 1}]'})
    for length in range(4, len(whole), 23):
        assert not ingest(whole[:length], "x.zip").tables
    packed = gzip.compress(CSV * 50)
    for length in range(2, len(packed)):
        assert ingest(packed[:length], "x.csv.gz").failed


def test_an_archive_with_a_byte_changed_is_read_or_refused(ingest) -> None:
    whole = zipped({"a.csv": CSV * 5, "b.json": b'[{"a": 1}]'})
    for position in range(0, len(whole), 5):
        broken = bytearray(whole)
        broken[position] ^= 0x41
        result = ingest(bytes(broken), "x.zip")
        assert result.tables or result.problems or result.no_table_reason
