"""Finding datasets as people type: without diacritics, in either language, and only what they may see."""

from __future__ import annotations

import datetime as dt
import shutil
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest

from opendata.accounts.policy import COMMAND_LINE, VISITOR
from opendata.catalogue.markdown_text import plain_text
from opendata.catalogue.search_form import DEEPEST, MOST_PER_PAGE, read_form
from opendata.job_wiring import build_job_runner
from opendata.settings import load_settings
from opendata.wiring import build_services
from tests.slices.catalogue.conftest import ACTORS, OTHER, Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opendata.catalogue.search import DatasetResults
    from opendata.wiring import Services

# Address, title in Vietnamese and in English, publisher, theme, and more.
RECORDS: tuple[tuple[str, str, str, str, str, dict[str, Any]], ...] = (
    (
        "dan-so",
        "Dân số các tỉnh",
        "Population by province",
        "BTC",
        "xa-hoi",
        {"keywords": ["điều tra dân số"]},
    ),
    (
        "duong-bo",
        "Đường bộ quốc gia",
        "National roads",
        "BTC",
        "",
        {"description": "Chiều dài *đường* cả nước"},
    ),
    ("dat-rung", "Đất rừng Đắk Lắk", "", "BYT", "moi-truong", {"place": "66"}),
    ("benh-vien", "Danh sách bệnh viện", "Hospitals", "BYT", "y-te", {"license": "odc-by", "frequency": ""}),
    ("an-toan", "An toàn thực phẩm", "Food safety", "BYT", "y-te", {}),
)


def publish(services: Services, clock: Clock) -> None:
    for slug, vi, en, publisher, theme, more in RECORDS:
        services.catalogue._clock = clock
        clock.advance(minutes=1)
        title = {"vi": vi, "en": en} if en else {"vi": vi}
        known = {name: value for name, value in {"theme": theme, **more}.items() if value}
        known = {name: value for name, value in known.items() if name not in {"place", "license"}}
        services.catalogue.create_dataset(
            COMMAND_LINE, {"title": title, "publisher": publisher, **known}, slug=slug
        )
        services.catalogue.publish_dataset(COMMAND_LINE, slug)
    services.catalogue.create_dataset(
        COMMAND_LINE, {"title": "Bí mật dân số", "publisher": "BYT", "keywords": ["nháp kín"]}, slug="nhap"
    )
    services.catalogue.count_use({}, {services.catalogue_queries.dataset(VISITOR, "an-toan").id: 9})
    build_job_runner(services).run_waiting()


@pytest.fixture(scope="module")
def library(prepared_folder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """A small library that no test changes."""
    folder = tmp_path_factory.mktemp("library") / "data"
    shutil.copytree(prepared_folder, folder)
    services = build_services(load_settings(data_dir=folder, secret_key="x" * 40))
    publish(services, Clock())
    yield services
    services.close()


def find(
    services: Services, query: str = "", actor=VISITOR, language: str = "vi", **chosen
) -> DatasetResults:
    pairs = [("q", query), *((name, str(value)) for name, value in chosen.items())]
    return services.catalogue_search.search(actor, read_form(pairs), language)


def slugs(results: DatasetResults) -> list[str]:
    return [item.slug for item in results.items]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("dan so", "dan-so"),
        ("DÂN SỐ", "dan-so"),
        ("dân sô", "dan-so"),
        ("duong bo", "duong-bo"),
        ("đường bộ", "duong-bo"),
        ("ĐƯỜNG BỘ", "duong-bo"),
        ("dak lak", "dat-rung"),
        ("dat rung dak lak", "dat-rung"),
        ("benh vien", "benh-vien"),
        ("dieu tra dan so", "dan-so"),
        ("chieu dai", "duong-bo"),
        ("population", "dan-so"),
        ("hospitals", "benh-vien"),
        ("thuc pham", "an-toan"),
    ],
)
def test_words_find_their_dataset(library, typed: str, first: str) -> None:
    for form in (typed, unicodedata.normalize("NFD", typed)):
        for language in ("vi", "en"):
            assert slugs(find(library, form, language=language))[0] == first


def test_what_is_marked_is_what_was_typed(library) -> None:
    (item,) = find(library, "benh vien").items
    marked = [segment.text for segment in item.marked_title if segment.is_match]
    assert "".join(segment.text for segment in item.marked_title) == "Danh sách bệnh viện"
    assert " ".join(marked).split() == ["bệnh", "viện"]
    (road,) = find(library, "chieu dai").items
    assert "".join(segment.text for segment in road.snippet) == "Chiều dài đường cả nước"


def test_rows_are_drawn_in_the_language_asked_for(library) -> None:
    (item,) = find(library, "food", language="en").items
    assert "".join(segment.text for segment in item.marked_title) == "Food safety"
    (untranslated,) = find(library, "rung", language="en").items
    assert "".join(segment.text for segment in untranslated.marked_title) == "Đất rừng Đắk Lắk"


def test_nothing_typed_lists_everything_public_newest_first(library) -> None:
    results = find(library)
    assert results.total == 5
    assert slugs(results) == ["an-toan", "benh-vien", "dat-rung", "duong-bo", "dan-so"]


def test_sorting(library) -> None:
    assert slugs(find(library, sort="title")) == ["an-toan", "benh-vien", "dan-so", "dat-rung", "duong-bo"]
    assert slugs(find(library, sort="title", language="en"))[:3] == ["dat-rung", "an-toan", "benh-vien"]
    assert slugs(find(library, sort="downloads"))[0] == "an-toan"
    assert find(library, sort="downloads").items[0].downloads == 9


def test_facets_count_and_are_labelled(library) -> None:
    facets = find(library).facets
    publishers = {option.value: (option.count, option.label["vi"]) for option in facets["publisher"]}
    assert publishers == {"BYT": (3, "Bộ Y tế"), "BTC": (2, "Bộ Tài chính")}
    assert {option.value: option.count for option in facets["theme"]} == {
        "y-te": 2,
        "moi-truong": 1,
        "xa-hoi": 1,
    }
    assert not any(option.chosen for options in facets.values() for option in options)


def test_a_chosen_value_filters_and_stays_listed(library) -> None:
    results = find(library, publisher="BYT")
    assert sorted(slugs(results)) == ["an-toan", "benh-vien", "dat-rung"]
    assert [option.value for option in results.facets["publisher"] if option.chosen] == ["BYT"]
    both = library.catalogue_search.search(
        VISITOR, read_form([("publisher", "BYT"), ("publisher", "BTC"), ("theme", "y-te")]), "vi"
    )
    assert sorted(slugs(both)) == ["an-toan", "benh-vien"]


def test_a_value_nobody_knows_finds_nothing_and_can_be_taken_away_again(library) -> None:
    results = find(library, theme="khong-co")
    assert (results.total, results.items) == (0, ())
    (chosen,) = [option for option in results.facets["theme"] if option.chosen]
    assert (chosen.value, chosen.count, chosen.label["vi"]) == ("khong-co", 0, "khong-co")


def test_pages_follow_each_other_without_gap_or_overlap(library) -> None:
    pages = [slugs(find(library, sort="title", per_page=2, page=page)) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert sum(pages, []) == slugs(find(library, sort="title"))  # noqa: RUF017 - four short lists
    assert find(library, per_page=2, page=4).total == 5
    assert find(library, per_page=2).pages == 3


def test_the_deepest_page_is_an_empty_page(library) -> None:
    results = find(library, page=DEEPEST, per_page=MOST_PER_PAGE)
    assert (results.total, results.items) == (5, ())


@pytest.mark.parametrize(
    "typed", ['"', "(((", "title_vi:x", "a AND", "*", "-", "\x00", "đ" * 5000, "~^[]{}\\"]
)
def test_whatever_is_typed_is_answered(library, typed: str) -> None:
    assert find(library, typed).total >= 0
    assert library.catalogue_search.suggest(VISITOR, typed) is not None


@pytest.mark.parametrize("name", ["visitor", "reader", "elsewhere", "platform", "editor"])
def test_only_what_the_actor_may_see(library, name: str) -> None:
    """A draft is in nobody else's results, counts, completions or corrections."""
    sees = name in {"elsewhere", "platform"}
    actor = ACTORS[name]
    assert ("nhap" in slugs(find(library, "bi mat dan so", actor))) == sees
    assert find(library, actor=actor).total == 5 + sees
    publishers = {option.value: option.count for option in find(library, actor=actor).facets["publisher"]}
    assert publishers["BYT"] == 3 + sees
    assert any("Bí mật" in line for line in library.catalogue_search.suggest(actor, "bi mat")) == sees
    assert any("nháp" in line for line in library.catalogue_search.suggest(actor, "nhap")) == sees
    if not sees:
        assert "bí mật" not in (find(library, "bi maat", actor).suggestion or "").lower()


def test_completions_work_without_diacritics(library) -> None:
    assert "Dân số các tỉnh" in library.catalogue_search.suggest(VISITOR, "dan s")
    assert library.catalogue_search.suggest(VISITOR, "zzz") == ()


def test_a_row_knows_what_the_list_shows(library) -> None:
    item = find(library, "benh vien").items[0]
    assert (item.publisher, item.theme, item.state, item.rows) == ("BYT", "y-te", "published", 0)
    assert item.title == {"vi": "Danh sách bệnh viện", "en": "Hospitals"}
    assert isinstance(item.modified_at, dt.datetime)
    assert item.modified_at.tzinfo is not None


# -- the index follows ----------------------------------------------------------------------


@pytest.fixture
def one(portal) -> str:
    """The slug of one published, indexed dataset of the agency."""
    portal.catalogue.create_dataset(COMMAND_LINE, {"title": "Cũ kỹ", "publisher": OTHER}, slug="one")
    portal.catalogue.publish_dataset(COMMAND_LINE, "one")
    build_job_runner(portal).run_waiting()
    assert find(portal, "cu ky").total == 1
    return "one"


def test_changes_withdrawals_and_returns_reach_the_index(portal, runner, one: str) -> None:
    portal.catalogue.update_dataset(COMMAND_LINE, one, {"title": "Mới tinh"})
    runner.run_waiting()
    assert [find(portal, words).total for words in ("cu ky", "moi tinh")] == [0, 1]
    portal.catalogue.withdraw_dataset(COMMAND_LINE, one)
    runner.run_waiting()
    assert find(portal, "moi tinh").total == 0
    assert find(portal, "moi tinh", ACTORS["elsewhere"]).total == 1
    portal.catalogue.publish_dataset(COMMAND_LINE, one)
    runner.run_waiting()
    assert find(portal, "moi tinh").total == 1


def test_a_deleted_draft_leaves_the_index(portal, runner) -> None:
    draft = portal.catalogue.create_dataset(COMMAND_LINE, {"title": "Nháp bỏ", "publisher": OTHER})
    runner.run_waiting()
    assert find(portal, "nhap bo", COMMAND_LINE).total == 1
    portal.catalogue.delete_draft(COMMAND_LINE, draft.id)
    runner.run_waiting()
    assert find(portal, "nhap bo", COMMAND_LINE).total == 0


def test_an_index_that_is_gone_is_made_again_from_the_database(portal, settings, one: str) -> None:
    portal.search.close()
    shutil.rmtree(settings.data_dir / "search")
    services = build_services(settings)
    assert find(services, "cu ky").is_plain
    assert services.indexing.ensure_index() is True
    assert find(services, "cu ky").total == 1
    assert not find(services, "cu ky").is_plain
    assert services.indexing.ensure_index() is False
    services.close()


@pytest.mark.parametrize("damage", ["gone", "garbage"])
def test_an_index_lost_while_the_worker_runs_comes_back_whole(
    portal, runner, settings, one: str, damage: str
) -> None:
    """The next change must not begin an index that holds this change alone."""
    for path in list((settings.data_dir / "search").rglob("*")):
        if path.is_file():
            path.unlink() if damage == "gone" else path.write_bytes(b"garbage")
    portal.catalogue.create_dataset(COMMAND_LINE, {"title": "Vừa thêm", "publisher": OTHER}, slug="two")
    portal.catalogue.publish_dataset(COMMAND_LINE, "two")
    runner.run_waiting()
    assert [find(portal, words).total for words in ("cu ky", "vua them")] == [1, 1]


def test_a_rebuild_loses_no_change_made_meanwhile(portal, runner, one: str, monkeypatch) -> None:
    """A change that goes to the old index while the new one is being made must be in the new one too."""
    everything = portal.indexing._everything

    def changed_behind_the_reader():
        yield from everything()
        portal.catalogue.update_dataset(COMMAND_LINE, one, {"title": "Giữa chừng"})
        runner.run_waiting()

    monkeypatch.setattr(portal.indexing, "_everything", changed_behind_the_reader)
    portal.indexing.rebuild()
    assert [find(portal, words).total for words in ("cu ky", "giua chung")] == [0, 1]


def test_one_dataset_that_cannot_be_indexed_holds_up_no_other(portal, runner, one: str, monkeypatch) -> None:

    def choking(markdown: str) -> str:
        if markdown == "poison":
            raise RecursionError
        return plain_text(markdown)

    monkeypatch.setattr("opendata.catalogue.documents.plain_text", choking)
    portal.catalogue.update_dataset(COMMAND_LINE, one, {"description": "poison"})
    portal.catalogue.create_dataset(COMMAND_LINE, {"title": "Lành lặn", "publisher": OTHER}, slug="two")
    portal.catalogue.publish_dataset(COMMAND_LINE, "two")
    runner.run_waiting()
    assert find(portal, "lanh lan").total == 1
