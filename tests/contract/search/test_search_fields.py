"""`field:value` in a typed line, openings that ask for nothing, explanations and what is similar: on every engine."""

from __future__ import annotations

import pytest

from opendata.search.port import PUBLIC, SearchDocument, SearchRequest

from .conftest import EVERYONE, ROWS, document, ids


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("theme:ECON", {"xuat-khau", "nhap-khau"}),
        ("chủ-đề:econ", {"xuat-khau", "nhap-khau"}),
        ("chude:ECON", {"xuat-khau", "nhap-khau"}),
        ("THEME:ECON nhập", {"nhap-khau"}),
        ("kim ngạch -theme:ENVI", {"xuat-khau", "nhap-khau"}),
        ("theme:AGRI OR theme:ENVI", {"dat-dai", "khong-khi"}),
        ("theme:AGRI theme:ENVI", set()),
        ('title:"dân số"', {"dan-so-hn", "dan-so-hcm"}),
        ("title:dan", {"dan-so-hn", "dan-so-hcm"}),
        ('title:"số dân"', set()),
        ('keyword:"lao động"', {"lao-dong"}),
    ],
)
def test_a_field_narrows(find, typed, expected):
    assert set(ids(find(typed, exact_text=True))) == expected


def test_minus_excludes_a_field(find):
    society = {name for name, _, _, _, theme, *_ in ROWS if theme == "SOCI"}
    assert not society & set(ids(find("dân số -theme:SOCI")))
    assert set(ids(find("-theme:SOCI"))) == {name for name, *_ in ROWS} - society
    assert not {"dan-so-hn", "dan-so-hcm"} & set(ids(find("dân số -title:dân")))


NAMES = [name for name, *_ in ROWS]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("number:3..5", NAMES[3:6]),
        ("number:0..0", NAMES[:1]),
        ("number:..2", NAMES[:3]),
        ("number:10..", NAMES[10:]),
        ("number:500..", []),
        ("number:3..5 theme:ENVI", NAMES[4:5]),
        ("number:..0 OR number:11..", [NAMES[0], NAMES[-1]]),
        ("-number:2..11", NAMES[:2]),
        ("dân số number:1..11 -number:2..3", None),
    ],
)
def test_a_field_of_numbers_holds_both_ends_of_its_range(find, typed, expected):
    found = set(ids(find(typed, exact_text=True)))
    assert found == (
        set(ids(find("dân số"))) - {NAMES[0], *NAMES[2:4]} if expected is None else set(expected)
    )


def test_a_document_without_the_number_is_in_no_range(service):
    bare = SearchDocument("bare", (PUBLIC,), {"title": "Không có số"}, numbers={"downloads": 1.0})
    service.rebuild([bare, document("both", "Có đủ số", modified=4.0)], 1)

    def found(text):
        return ids(service.search(SearchRequest(access=EVERYONE, text=text, exact_text=True)))

    assert found("number:0..9") == ["both"]
    assert found("-number:0..9") == ["bare"]
    assert found("số number:..9") == ["both"]


@pytest.mark.parametrize(
    "typed", ["xuất:khẩu", "theme:xuất khẩu", "http://a.vn xuất khẩu", "title: xuất khẩu", "màu:xuất khẩu"]
)
def test_unknown_fields_and_values_are_plain_words(find, typed):
    assert "xuat-khau" in ids(find(typed))


def test_a_field_of_texts_is_marked_and_scores(find):
    hits = find("title:dân", highlight={"title": 0}).hits
    assert all(any(segment.is_match for segment in hit.snippets["title"]) for hit in hits)
    assert all(hit.score > 0 for hit in hits)


def test_openings_ask_for_nothing_unless_they_are_all_there_is(find):
    assert ids(find("bộ dữ liệu về dân số hà nội")) == ids(find("dân số hà nội"))
    assert find("bộ dữ liệu về").total  # "bộ" or "liệu" stands somewhere, so any of the words is shown


def test_the_parts_of_an_explanation_sum_up_to_the_score(shelf):
    for text in ("dân số hà nội", "TP.HCM", "population", "H55.242", "ly* thuat", "title:dân số"):
        request = SearchRequest(access=EVERYONE, text=text)
        response = shelf.search(request)
        told = shelf.explain(response, request)
        assert response.hits
        for hit in response.hits:
            parts = told[hit.id]
            assert sum(part.score for part in parts) == pytest.approx(hit.score, rel=1e-3, abs=1e-3)
            assert [part.score for part in parts] == sorted((part.score for part in parts), reverse=True)


def test_an_explanation_names_view_term_and_boost(shelf):
    request = SearchRequest(access=EVERYONE, text="không khí")
    response = shelf.search(request)
    parts = {(part.view, part.boost, part.term) for part in shelf.explain(response, request)["khong-khi"]}
    assert {
        ("exact", 3.0, "khí"),
        ("folded", 3.0, "khi"),
        ("pairs", 3.0, "khong_khi"),
        ("held", 1.0, "khi"),
    } <= parts


def test_similar_documents_share_what_is_characteristic(shelf):
    assert shelf.similar("xuat-khau", EVERYONE, 3)[0].id == "nhap-khau"
    assert shelf.similar("dan-so-hn", EVERYONE, 3)[0].id in {"dan-so-hcm", "lao-dong"}
    for name, *_ in ROWS:
        similar = [hit.id for hit in shelf.similar(name, EVERYONE, 4)]
        assert name not in similar
        assert len(similar) <= 4
        assert len(set(similar)) == len(similar)


def test_similar_shows_nothing_hidden_and_asks_about_nothing_hidden(service):
    service.rebuild(
        [
            document("open", "Kim ngạch xuất khẩu gạo", "Theo tháng."),
            document("other", "Kim ngạch xuất khẩu cà phê", "Theo tháng."),
            document("hidden", "Kim ngạch xuất khẩu gạo thơm", "Theo tháng.", access=("agency:1",)),
            document("far", "Bệnh viện", "Danh sách."),
        ],
        1,
    )
    assert [hit.id for hit in service.similar("open", EVERYONE, 5)] == ["other"]
    both = EVERYONE | {"agency:1"}
    assert [hit.id for hit in service.similar("open", both, 5)] == ["hidden", "other"]
    assert service.similar("hidden", EVERYONE, 5) == ()
    assert service.similar("hidden", frozenset(), 5) == ()
    assert service.similar("nobody", EVERYONE, 5) == ()


def test_a_document_without_anything_in_common_has_nothing_similar(service):
    service.rebuild([document("a", "Một"), document("b", "Hai")], 1)
    assert service.similar("a", EVERYONE, 5) == ()
