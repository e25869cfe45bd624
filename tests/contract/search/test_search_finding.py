"""What is found, in which order, and how it is shown: the same on every engine."""

from __future__ import annotations

import unicodedata

import pytest

from opendata.kernel.text import fold
from opendata.search.port import Sort

from .conftest import EVERYONE, ROWS, ids


def marked(segments) -> list[str]:
    return [segment.text for segment in segments if segment.is_match]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("dân số hà nội", "dan-so-hn"),
        ("dan so ha noi", "dan-so-hn"),
        ("DÂN SỐ HÀ NỘI", "dan-so-hn"),
        ("gia dat dak lak", "dat-dai"),
        ("Đắk Lắk", "dat-dai"),
        ("dich vu cong", "dich-vu-cong"),
        ("thất nghiệp", "lao-dong"),
        ("that nghiep", "lao-dong"),
        ("194/2025/NĐ-CP", "thu-tuc"),
        ("H55.242", "dich-vu-cong"),
        ("h55242", "dich-vu-cong"),
        ("PM2.5", "khong-khi"),
        ("population", "population"),
        ("populations of a province", "population"),
        ("PM 2.5", "khong-khi"),
        ("PM2,5", "khong-khi"),
        ("H 55.242", "dich-vu-cong"),
        ("H55-242", "dich-vu-cong"),
        ("h55 242", "dich-vu-cong"),
        ("nđ-cp 194 2025", "thu-tuc"),
        ("kỹ thuật", "ky-thuat"),
        ("ky thuat", "ky-thuat"),
    ],
)
def test_the_expected_document_comes_first(find, typed, first):
    assert ids(find(typed))[0] == first


@pytest.mark.parametrize("typed", ["dân số", "giá đất", "Ủy ban nhân dân", "thủ tục hành chính", "quản lý"])
def test_typing_bare_or_decomposed_finds_the_same_documents(find, typed):
    expected = set(ids(find(typed)))
    assert expected
    assert set(ids(find(fold(typed)))) == expected
    assert set(ids(find(unicodedata.normalize("NFD", typed)))) == expected


def test_one_spelling_of_i_and_y_finds_the_other(find):
    assert set(ids(find("quản lí"))) == set(ids(find("quản lý"))) == {"y-te", "ky-thuat"}


def test_same_accents_stand_before_other_accents(service):
    from opendata.search.port import SearchRequest

    from .conftest import document

    texts = ("bán đất", "bản đạt", "ban dat", "bàn dát")
    service.rebuild([document(f"d{n}", text) for n, text in enumerate(texts)], 1)
    for number, text in enumerate(texts):
        response = service.search(SearchRequest(access=EVERYONE, text=text))
        assert response.total == len(texts)
        assert ids(response)[0] == f"d{number}"


CODES = ("QCVN 102:2016/BTTTT", "TP.HCM", "năm 2024", "Mã H55.242", "COVID-19")


@pytest.mark.parametrize(
    ("number", "ways"),
    [
        (
            0,
            (
                "QCVN 102:2016",
                "qcvn 102 2016",
                "QCVN102:2016",
                "qcvn 102-2016",
                "QCVN 102.2016/BTTTT",
                "QCVN:102",
            ),
        ),
        (1, ("TP.HCM", "TPHCM", "tp hcm", "Tp. Hcm", "TP-HCM")),
        (2, ("2024", "nam 2024", "năm:2024", "(2024)")),
        (3, ("H55.242", "h55242", "H55 242", "H 55.242", "h55-242", "H55:242")),
        (4, ("covid19", "COVID 19", "covid-19", "COVID.19")),
    ],
)
def test_a_code_is_found_however_it_is_written(service, number, ways):
    from opendata.search.port import SearchRequest

    from .conftest import document

    service.rebuild([document(f"d{n}", text) for n, text in enumerate(CODES)], 1)
    for way in ways:
        assert ids(service.search(SearchRequest(access=EVERYONE, text=way)))[:1] == [f"d{number}"], way


def test_a_prior_decides_between_equal_texts_only(service):
    from dataclasses import replace

    from opendata.search.port import SearchRequest

    from .conftest import document

    plain = document("a", "Giá đất ở Huế")
    service.rebuild(
        [
            plain,
            replace(plain, id="b", prior=1.0),
            replace(plain, id="c", prior=0.5),
            replace(document("d", "Giá đất"), prior=0.0),
            replace(document("e", "Giá điện"), prior=1.0),
        ],
        1,
    )
    assert ids(service.search(SearchRequest(access=EVERYONE, text="gia dat o hue")))[:3] == ["b", "c", "a"]
    assert ids(service.search(SearchRequest(access=EVERYONE, text="giá đất")))[0] == "d"


def test_a_title_weighs_more_than_a_description(find):
    found = ids(find("lao động"))
    assert found[0] == "lao-dong"


def test_more_of_the_words_win(find):
    found = ids(find("dân số thành phố hồ chí minh 2019"))
    assert found[0] == "dan-so-hcm"


def test_not_every_word_is_needed(find):
    response = find("bảng thống kê giá đất đắk lắk")
    assert "dat-dai" in ids(response)
    assert not response.relaxed


def test_when_no_document_has_enough_words_those_with_any_are_shown_and_it_is_said(find):
    response = find("xuất bảnn")
    assert response.relaxed
    assert ids(response)[0] == "xuat-khau"


def test_a_filter_does_not_loosen_the_words(find):
    assert find("dân số hà nội", filters={"theme": ("ENVI",)}).total == 0


def test_quotation_marks_ask_for_the_words_in_a_row(find):
    assert set(ids(find('"dân số"'))) == {"dan-so-hn", "dan-so-hcm", "lao-dong"}
    assert find('"số dân"').total == 0
    assert set(ids(find("“dan so”"))) == {"dan-so-hn", "dan-so-hcm", "lao-dong"}


def test_a_phrase_does_not_reach_from_one_text_into_the_next(find):
    # "… việc làm" ends the title of lao-dong and its keywords begin with "lao động".
    assert find('"việc làm lao động"').total == 0


def test_minus_excludes(find):
    everything = set(ids(find("kim ngạch")))
    assert everything == {"xuat-khau", "nhap-khau"}
    assert ids(find("kim ngạch -nhập")) == ["xuat-khau"]
    assert ids(find('kim ngạch -"nhập khẩu"')) == ["xuat-khau"]
    assert find("-kim").total == len(ROWS) - 2


def test_or_joins_whole_sides(find):
    assert set(ids(find("giá đất OR không khí"))) == {"dat-dai", "khong-khi"}
    assert set(ids(find("giá đất HOẶC không khí"))) == {"dat-dai", "khong-khi"}


def test_a_star_asks_for_a_beginning(find):
    assert set(ids(find("popul*"))) == {"population"}
    assert set(ids(find("H55.2*"))) == {"dich-vu-cong"}
    assert set(ids(find("ngh*"))) == {"lao-dong", "dat-dai", "thu-tuc"}  # nghiệp, nghiệp, Nghị


def test_aliases_find_each_other(find):
    hcm = {"dan-so-hcm", "khong-khi"}
    for name in ("TP.HCM", "TPHCM", "tp hcm", "Sài Gòn", "sai gon", "thành phố hồ chí minh"):
        assert hcm <= set(ids(find(name))), name
    for name in ("UBND", "ubnd", "ủy ban nhân dân"):
        assert {"dich-vu-cong", "thu-tuc"} <= set(ids(find(name))), name


def test_nothing_typed_finds_everything(find):
    assert find("").total == find("*").total == find("   ").total == len(ROWS)


@pytest.mark.parametrize("typed", ["???", "🎉", '"" ""', "-", "!!! ***"])
def test_what_holds_no_word_finds_nothing(find, typed):
    assert find(typed).total == 0


def test_the_stored_part_comes_back_as_given(find):
    hit = find("giá đất").hits[0]
    assert hit.stored == {"title": "Bảng giá đất tỉnh Đắk Lắk", "nested": {"formats": ["PDF"], "none": None}}


def test_sorting_by_number_and_by_key(find):
    by_time = [name for name, *_ in ROWS]
    assert ids(find(sort=Sort("modified"))) == by_time
    assert ids(find(sort=Sort("modified", descending=True))) == by_time[::-1]


def test_titles_sort_as_a_vietnamese_dictionary_does(service):
    from opendata.search.port import SearchRequest

    from .conftest import document

    # The alphabet is a ă â b c d đ e ê … ; tones (none, huyền, hỏi, ngã, sắc, nặng) part equal letters.
    ordered = [
        "An Giang",
        "Ăn uống",
        "Ấn phẩm",
        "Bà Rịa",
        "Cà Mau",
        "Da giày",
        "Đà Nẵng",
        "Đảng phí",
        "Êm đềm",
        "Ốc đảo",
        "Ở trọ",
    ]
    service.rebuild(
        [document(f"d{n:02}", title) for n, title in sorted(enumerate(ordered), key=lambda x: x[1])], 1
    )
    for descending in (False, True):
        request = SearchRequest(access=EVERYONE, sort=Sort("title", descending=descending))
        titles = [hit.stored["title"] for hit in service.search(request).hits]
        assert titles == (ordered[::-1] if descending else ordered)


def test_what_lacks_the_value_sorts_last_both_ways(service):
    from dataclasses import replace

    from opendata.search.port import SearchRequest

    from .conftest import document

    documents = [
        document("a", "A", modified=1),
        replace(document("none", "N"), numbers={}),
        document("b", "B", modified=2),
    ]
    service.rebuild(documents, 1)
    for descending, order in ((False, ["a", "b", "none"]), (True, ["b", "a", "none"])):
        request = SearchRequest(access=EVERYONE, sort=Sort("modified", descending=descending))
        assert ids(service.search(request)) == order


def test_pages_join_without_gap_or_repetition(find):
    for sort in (None, Sort("modified"), Sort("title", descending=True)):
        whole = ids(find("dân số kim ngạch giá", sort=sort))
        pages = [
            find("dân số kim ngạch giá", sort=sort, offset=start, limit=3)
            for start in range(0, len(whole) + 3, 3)
        ]
        assert [name for page in pages for name in ids(page)] == whole
        assert {page.total for page in pages} == {len(whole)}


def test_a_page_far_beyond_the_end_is_empty_and_still_counts(find):
    response = find("dân số", offset=10**12, limit=20)
    assert response.hits == ()
    assert response.total == find("dân số").total


def test_no_hits_are_asked_for_and_the_total_is_exact(find):
    assert find("dân số", limit=0).total == find("dân số").total


def test_marks_show_what_was_found_also_when_typed_bare(find):
    shown = {"title": 0, "description": 60}
    for typed in ("giá đất", "gia dat"):
        hit = find(typed, highlight=shown).hits[0]
        assert marked(hit.snippets["title"]) == ["giá đất"]
        assert "giá đất" in marked(hit.snippets["description"])
        assert "".join(segment.text for segment in hit.snippets["title"]) == "Bảng giá đất tỉnh Đắk Lắk"


def test_markup_in_a_text_stays_text(service):
    from opendata.search.port import SearchRequest, Segment

    from .conftest import document

    service.rebuild([document("x", "<b>dân số</b> & <script>")], 1)
    response = service.search(SearchRequest(access=EVERYONE, text="dan so", highlight={"title": 0}))
    assert response.hits[0].snippets["title"] == (
        Segment("<b>", is_match=False),
        Segment("dân số", is_match=True),
        Segment("</b> & <script>", is_match=False),
    )


def test_names_the_schema_does_not_have_are_a_programming_error(find):
    for wrong in (
        {"filters": {"colour": ("red",)}},
        {"facets": {"colour": 3}},
        {"sort": Sort("colour")},
        {"highlight": {"keywords": 0}},
    ):
        with pytest.raises(ValueError, match="not in the search schema"):
            find("dân số", **wrong)
