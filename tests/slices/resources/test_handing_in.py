"""Handing files in: who may, what is kept, and what a refusal leaves behind (nothing)."""

from __future__ import annotations

import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from opendata.accounts.policy import COMMAND_LINE
from opendata.kernel.errors import ForbiddenError, NotFoundError, TooLargeError, UnauthenticatedError
from opendata.resources.models import ResourceVersion
from opendata.resources.service import EmptyFileError, Upload, clean_filename
from tests.slices.resources.conftest import ACTORS, CSV, LIMIT, Shelf, upload

EDITORS = {"editor", "admin", "platform", "system"}


class Interrupted:
    """The browser goes away in the middle."""

    def __init__(self) -> None:
        self._parts = [b"a,b\n", b"1,2\n"]

    def read(self, size: int, /) -> bytes:
        if self._parts:
            return self._parts.pop(0)
        raise ConnectionResetError("the sender went away")


def count_versions(shelf: Shelf) -> int:
    with shelf.database.reading() as session:
        return session.scalar(select(func.count()).select_from(ResourceVersion)) or 0


def left_behind(shelf: Shelf) -> tuple[list[str], int, list[object]]:
    return list(shelf.store.digests()), count_versions(shelf), list(shelf.trail())


# -- who may --------------------------------------------------------------------------------


@pytest.mark.parametrize("public", [True, False])
@pytest.mark.parametrize("act", ["add", "replace", "describe", "delete"])
@pytest.mark.parametrize("name", ACTORS)
def test_who_may_hand_in_and_change(shelf, name: str, act: str, public: bool) -> None:
    received = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), upload())
    if public:
        shelf.catalogue.publish_dataset(COMMAND_LINE, "bang")
    before = left_behind(shelf)
    actor, service = ACTORS[name], shelf.resources

    def run() -> None:
        if act == "add":
            service.add_resource(actor, "bang", upload(b"a,b\n1,2\n"))
        elif act == "replace":
            service.replace_file(actor, received.resource_id, upload(b"a,b\n1,2\n"))
        elif act == "describe":
            service.describe_resource(actor, received.resource_id, {"vi": "Tên khác"}, None)
        else:
            service.delete_resource(actor, received.resource_id)

    if name in EDITORS:
        run()
        assert left_behind(shelf) != before
        return
    refusal: type[Exception] = ForbiddenError if public else NotFoundError
    with pytest.raises(UnauthenticatedError if name == "visitor" else refusal):
        run()
    assert left_behind(shelf) == before


@pytest.mark.parametrize("key", ["khong-co", "", "\x00", "0" * 26])
def test_what_is_not_there_takes_no_file(shelf, key: str) -> None:
    before = left_behind(shelf)
    for act in (
        lambda: shelf.resources.add_resource(COMMAND_LINE, key, upload()),
        lambda: shelf.resources.replace_file(COMMAND_LINE, key, upload()),
        lambda: shelf.resources.describe_resource(COMMAND_LINE, key, {"vi": "x"}, None),
        lambda: shelf.resources.delete_resource(COMMAND_LINE, key),
        lambda: shelf.queries.resource(COMMAND_LINE, key),
        lambda: shelf.queries.versions(COMMAND_LINE, key),
        lambda: shelf.queries.tables_of_version(COMMAND_LINE, key),
        lambda: shelf.queries.resources_of(COMMAND_LINE, key),
    ):
        with pytest.raises(NotFoundError):
            act()
    assert left_behind(shelf) == before


# -- what is kept ---------------------------------------------------------------------------


def test_a_file_is_kept_byte_for_byte_and_waits_for_the_worker(shelf) -> None:
    received = shelf.resources.add_resource(ACTORS["editor"], shelf.add_dataset(), upload())
    version = shelf.latest(received)
    digest = hashlib.sha256(CSV).hexdigest()
    assert (version.state, version.number, version.sha256, version.size) == ("received", 1, digest, len(CSV))
    assert (version.filename, version.created_by, version.problems) == ("bảng.csv", "editor", ())
    assert shelf.store.path(digest).read_bytes() == CSV
    assert received.dataset_slug == "bang"
    assert shelf.trail() == [
        ("editor", "resource.upload", {"version": 1, "sha256": digest, "size": len(CSV)})
    ]
    assert shelf.told()[-1] == "resource.received"
    assert not version.is_settled


def test_an_empty_file_is_refused_before_anything_is_written(shelf) -> None:
    dataset = shelf.add_dataset()
    before = left_behind(shelf)
    with pytest.raises(EmptyFileError) as refused:
        shelf.resources.add_resource(COMMAND_LINE, dataset, upload(b""))
    assert refused.value.status == 422
    assert left_behind(shelf) == before


@pytest.mark.parametrize("stream", [lambda: io.BytesIO(b"x" * (LIMIT + 1)), Interrupted])
def test_too_large_or_cut_off_leaves_nothing(shelf, stream) -> None:
    dataset = shelf.add_dataset()
    before = left_behind(shelf)
    with pytest.raises((TooLargeError, ConnectionResetError)):
        shelf.resources.add_resource(COMMAND_LINE, dataset, Upload(stream(), "x.csv"))
    assert left_behind(shelf) == before


def test_exactly_the_limit_is_taken(shelf) -> None:
    received = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), upload(b"x" * LIMIT))
    assert shelf.latest(received).size == LIMIT


def test_the_same_bytes_in_two_datasets_are_kept_once(shelf) -> None:
    for slug in ("mot", "hai"):
        shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(slug), upload())
    assert len(list(shelf.store.digests())) == 1
    assert count_versions(shelf) == 2


def test_files_stay_in_the_order_they_were_handed_in(shelf) -> None:
    dataset = shelf.add_dataset()
    for name in ("c.csv", "a.csv", "b.csv"):
        shelf.resources.add_resource(COMMAND_LINE, dataset, upload(filename=name))
    names = [resource.latest.filename for resource in shelf.queries.resources_of(COMMAND_LINE, dataset)]
    assert names == ["c.csv", "a.csv", "b.csv"]


def test_versions_count_up(shelf) -> None:
    received = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), upload())
    for _ in range(2):
        assert shelf.replace(received, CSV).resource_id == received.resource_id
    versions = shelf.queries.versions(COMMAND_LINE, received.resource_id)
    assert [version.number for version in versions] == [3, 2, 1]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, {"vi": "bảng"}),
        ({}, {"vi": "bảng"}),
        ({"vi": "  ", "en": ""}, {"vi": "bảng"}),
        ({"vi": " Bảng\x00  một\n", "en": "Table one"}, {"vi": "Bảng một", "en": "Table one"}),
        ({"en": "x" * 1000}, {"en": "x" * 300}),
    ],
)
def test_titles(shelf, given, kept) -> None:
    received = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), upload(title=given))
    assert shelf.queries.resource(COMMAND_LINE, received.resource_id).title == kept


def test_describing_keeps_what_is_not_given(shelf) -> None:
    received = shelf.resources.add_resource(
        COMMAND_LINE, shelf.add_dataset(), upload(title={"vi": "Một"}, description={"vi": "dòng\nhai"})
    )

    def now() -> tuple[dict[str, str], dict[str, str]]:
        view = shelf.queries.resource(COMMAND_LINE, received.resource_id)
        return view.title, view.description

    assert now() == ({"vi": "Một"}, {"vi": "dòng\nhai"})
    shelf.resources.describe_resource(COMMAND_LINE, received.resource_id, {"vi": "Hai"}, None)
    assert now() == ({"vi": "Hai"}, {"vi": "dòng\nhai"})
    shelf.resources.describe_resource(COMMAND_LINE, received.resource_id, {"vi": ""}, {})
    assert now() == ({"vi": "Hai"}, {})
    assert shelf.told()[-2:] == ["dataset.changed", "dataset.changed"]


def test_a_deleted_file_is_gone_but_its_bytes_stay(shelf) -> None:
    received = shelf.publish()
    kept = set(shelf.store.digests())
    shelf.resources.delete_resource(ACTORS["editor"], received.resource_id)
    with pytest.raises(NotFoundError):
        shelf.queries.resource(COMMAND_LINE, received.resource_id)
    assert count_versions(shelf) == 0
    assert set(shelf.store.digests()) == kept
    assert shelf.trail()[-1][:2] == ("editor", "resource.delete")
    assert shelf.told()[-1] == "dataset.changed"


def test_deleting_a_draft_takes_its_files_along(shelf) -> None:
    dataset = shelf.add_dataset(publish_when_ready=False)
    received = shelf.resources.add_resource(COMMAND_LINE, dataset, upload())
    shelf.ingest_version(received)
    shelf.catalogue.delete_draft(COMMAND_LINE, dataset)
    assert count_versions(shelf) == 0
    with pytest.raises(NotFoundError):
        shelf.queries.resource(COMMAND_LINE, received.resource_id)


# -- names of files -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("bảng.csv", "bảng.csv"),
        ("C:\\fakepath\\Dân số.xlsx", "Dân số.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("/absolute/x.csv", "x.csv"),
        (".htaccess", "htaccess"),
        ("..", "file"),
        ("", "file"),
        ("/", "file"),
        ("a\r\nSet-Cookie: x.csv", "a Set-Cookie: x.csv"),
        ("x\x00.csv", "x .csv"),
        ("half \ud800.csv", "half .csv"),
        ("a" * 300 + ".csv", "a" * 180 + ".csv"),
        ("archive.tar.gz", "archive.tar.gz"),
        ("a" * 5000 + "." + "b" * 300, "a" * 180 + "." + "b" * 19),
    ],
)
def test_file_names_are_plain(sent: str, kept: str) -> None:
    assert clean_filename(sent) == kept


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_file_name_can_be_kept_and_offered(sent: str) -> None:
    kept = clean_filename(sent)
    assert 0 < len(kept) <= 200
    assert not {"/", "\\", "\x00", "\n", "\r"} & set(kept)
    assert kept not in {".", ".."}
    kept.encode("utf-8")
