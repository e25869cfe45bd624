"""A dataset from draft to withdrawal: who may do what, what is kept of it, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from opendata.accounts.models import AuditRow
from opendata.accounts.policy import COMMAND_LINE, Role
from opendata.catalogue.service import NotADraftError, RevisionConflictError, SlugTakenError
from opendata.kernel.errors import ForbiddenError, InvalidInputError, NotFoundError, UnauthenticatedError
from opendata.kernel.outbox import OutboxRow
from tests.slices.catalogue.conftest import ACTORS, AGENCY, OTHER, person

if TYPE_CHECKING:
    from opendata.catalogue.models import Dataset
    from opendata.catalogue.service import CatalogueService

METADATA = {"title": "Dân số Đắk Lắk", "description": "Theo huyện", "publisher": AGENCY}
EDITORS = {"editor", "admin", "both", "platform", "system"}
ADMINS = {"admin", "platform", "system"}


@pytest.fixture
def draft(catalogue: CatalogueService) -> Dataset:
    return catalogue.create_dataset(COMMAND_LINE, METADATA)


@pytest.fixture
def published(catalogue: CatalogueService, draft: Dataset) -> Dataset:
    return catalogue.publish_dataset(COMMAND_LINE, draft.id)


def told(database, since: int = 0) -> list[tuple[str, Any]]:
    with database.reading() as session:
        chosen = select(OutboxRow).where(OutboxRow.id > since).order_by(OutboxRow.id)
        return [(row.topic, row.payload) for row in session.scalars(chosen)]


def trail(database, dataset_id: str) -> list[tuple[str, str, Any]]:
    with database.reading() as session:
        chosen = select(AuditRow).where(AuditRow.subject_id == dataset_id).order_by(AuditRow.id)
        return [(row.actor_name, row.action, row.details) for row in session.scalars(chosen)]


def count_audit(database) -> int:
    with database.reading() as session:
        return len(session.scalars(select(AuditRow.id)).all())


# -- who may --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ACTORS)
def test_who_may_create(catalogue, database, name: str) -> None:
    actor = ACTORS[name]
    if name in EDITORS:
        created = catalogue.create_dataset(actor, METADATA)
        assert (created.state, created.agency_code, created.revision) == ("draft", AGENCY, 1)
        return
    before = count_audit(database)
    with pytest.raises(UnauthenticatedError if name == "visitor" else ForbiddenError):
        catalogue.create_dataset(actor, METADATA)
    assert count_audit(database) == before


CHANGES = {
    "update": (
        lambda catalogue, actor, key: catalogue.update_dataset(actor, key, {"title": "Khác"}),
        EDITORS,
    ),
    "publish": (lambda catalogue, actor, key: catalogue.publish_dataset(actor, key), EDITORS),
    "withdraw": (lambda catalogue, actor, key: catalogue.withdraw_dataset(actor, key), ADMINS),
    "delete": (lambda catalogue, actor, key: catalogue.delete_draft(actor, key), EDITORS),
}


@pytest.mark.parametrize("state", ["draft", "published", "withdrawn"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ACTORS)
def test_who_may_change(catalogue, database, name: str, change: str, state: str) -> None:
    """What someone may not even see is not there; what they see and may not change is refused."""
    created = catalogue.create_dataset(COMMAND_LINE, METADATA)
    if state != "draft":
        catalogue.publish_dataset(COMMAND_LINE, created.id)
    if state == "withdrawn":
        catalogue.withdraw_dataset(COMMAND_LINE, created.id)
    act, allowed = CHANGES[change]
    sees = state == "published" or name in EDITORS
    if name == "visitor":
        refusal: type[Exception] | None = UnauthenticatedError
    elif not sees:
        refusal = NotFoundError
    elif name not in allowed:
        refusal = ForbiddenError
    else:
        refusal = NotADraftError if change == "delete" and state != "draft" else None
    before = count_audit(database)
    if refusal is None:
        act(catalogue, ACTORS[name], created.slug)
        assert count_audit(database) == before + 1
    else:
        with pytest.raises(refusal):
            act(catalogue, ACTORS[name], created.slug)
        assert count_audit(database) == before


def test_publishing_when_ready_needs_the_right_to_publish(catalogue, monkeypatch) -> None:
    """Every role that edits may publish today; the rule must hold for one that may not."""
    from opendata.accounts import policy

    monkeypatch.setitem(policy._ROLE_PERMISSIONS, Role.EDITOR, {policy.Permission.EDIT_DATASETS})
    catalogue.create_dataset(ACTORS["editor"], METADATA)
    with pytest.raises(ForbiddenError):
        catalogue.create_dataset(ACTORS["editor"], METADATA, publish_when_ready=True)


# -- creating -------------------------------------------------------------------------------


def test_a_new_dataset_is_a_draft_with_its_history(catalogue, queries, database, clock) -> None:
    editor = ACTORS["editor"]
    created = catalogue.create_dataset(editor, METADATA)
    view = queries.dataset(editor, created.slug)
    assert (view.slug, view.state, view.revision, view.published_at) == ("dan-so-dak-lak", "draft", 1, None)
    assert view.created_at == view.modified_at == clock.now
    assert view.fields["title"] == {"vi": "Dân số Đắk Lắk"}
    assert [(r.number, r.by, r.fields) for r in queries.revisions(editor, created.id)] == [
        (1, "editor", view.fields)
    ]
    assert trail(database, created.id) == [("editor", "dataset.create", {"slug": "dan-so-dak-lak"})]
    assert told(database) == [("dataset.changed", {"dataset_id": created.id})]


@pytest.mark.parametrize(
    ("metadata", "fields"),
    [
        ({}, ["title", "publisher"]),
        ({"title": "x", "publisher": ""}, ["publisher"]),
        ({"title": {"vi": " "}, "publisher": AGENCY}, ["title"]),
        ({"title": "\x00", "publisher": AGENCY}, ["title"]),
        ({"title": "\ud800", "publisher": AGENCY}, ["title"]),
        ({"title": "x" * 301, "publisher": AGENCY}, ["title"]),
        ({"title": ["x"], "publisher": AGENCY}, ["title"]),
        ({"title": "x", "publisher": AGENCY, "theme": "nothing-of-the-kind"}, ["theme"]),
        ({"title": "x", "publisher": AGENCY, "rating": 5}, ["rating"]),
        ({"title": "x", "publisher": "KHONG.CO"}, ["publisher"]),
        ({"title": "x", "publisher": 7}, ["publisher"]),
    ],
)
def test_wrong_metadata_is_named_and_nothing_is_written(catalogue, database, metadata, fields) -> None:
    before = count_audit(database)
    with pytest.raises(InvalidInputError) as refused:
        catalogue.create_dataset(COMMAND_LINE, metadata)
    assert sorted(error.field for error in refused.value.errors) == sorted(fields)
    assert (count_audit(database), told(database)) == (before, [])


@pytest.mark.parametrize(
    ("wished", "hint"),
    [
        ("", "dataset"),
        ("Dân số", "dan-so"),
        ("a--b", "a-b"),
        ("-a", "a"),
        ("../a", "a"),
        ("a/b", "a-b"),
        ("数", "dataset"),
        ("a\x00", "a"),
        ("x" * 101, "x" * 80),
    ],
)
def test_addresses_are_plain(catalogue, wished: str, hint: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        catalogue.create_dataset(COMMAND_LINE, METADATA, slug=wished)
    (error,) = refused.value.errors
    assert (error.field, error.params) == ("slug", {"slug": hint})


def test_a_wished_address_is_kept_or_refused(catalogue, draft) -> None:
    assert catalogue.create_dataset(COMMAND_LINE, METADATA, slug="my-2025-data").slug == "my-2025-data"
    for taken in ("my-2025-data", draft.slug, draft.id):
        with pytest.raises(SlugTakenError, match=taken):
            catalogue.create_dataset(COMMAND_LINE, METADATA, slug=taken)


def test_addresses_made_from_titles_do_not_meet(catalogue) -> None:
    slugs = [catalogue.create_dataset(COMMAND_LINE, METADATA).slug for _ in range(22)]
    assert slugs[:3] == ["dan-so-dak-lak", "dan-so-dak-lak-2", "dan-so-dak-lak-3"]
    assert len(set(slugs)) == 22
    assert all(len(slug) <= 100 for slug in slugs)


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("数据", "dataset"),
        ({"en": "Population"}, "population"),
        ({"en": "Population", "vi": "Dân số"}, "dan-so"),
        ("Rất dài " * 30, "rat-dai-rat-dai-rat-dai-rat-dai-rat-dai-rat-dai-rat-dai-rat-dai-rat-dai-rat-dai"),
    ],
)
def test_addresses_come_from_titles(catalogue, title, slug: str) -> None:
    assert catalogue.create_dataset(COMMAND_LINE, {**METADATA, "title": title}).slug == slug


# -- changing -------------------------------------------------------------------------------


def test_saving_changes_what_was_given_and_keeps_the_rest(catalogue, queries, draft, clock, database) -> None:
    clock.advance(hours=1)
    catalogue.update_dataset(ACTORS["editor"], draft.slug, {"theme": "y-te", "description": None})
    view = queries.dataset(COMMAND_LINE, draft.id)
    assert view.fields == {
        "title": {"vi": "Dân số Đắk Lắk"},
        "theme": view.fields["theme"],
        "publisher": AGENCY,
    }
    assert (view.revision, view.modified_at, view.created_at) == (2, clock.now, draft.created_at)
    assert [revision.number for revision in queries.revisions(COMMAND_LINE, draft.id)] == [2, 1]
    assert queries.revisions(COMMAND_LINE, draft.id)[1].fields["description"] == {"vi": "Theo huyện"}
    assert trail(database, draft.id)[-1] == (
        "editor",
        "dataset.save",
        {"changed": ["description", "theme"]},
    )


def test_a_changed_title_keeps_the_address(catalogue, draft) -> None:
    assert catalogue.update_dataset(COMMAND_LINE, draft.id, {"title": "Khác hẳn"}).slug == draft.slug


def test_saving_the_same_again_makes_no_revision(catalogue, draft, clock, database) -> None:
    clock.advance(hours=1)
    before = len(told(database))
    again = catalogue.update_dataset(COMMAND_LINE, draft.id, METADATA, seen_revision=1)
    assert (again.revision, again.modified_at) == (1, draft.modified_at)
    assert len(told(database)) == before


def test_saving_over_someone_elses_change_is_refused(catalogue, queries, draft) -> None:
    catalogue.update_dataset(ACTORS["editor"], draft.id, {"title": "Một"}, seen_revision=1)
    with pytest.raises(RevisionConflictError, match="revision 2"):
        catalogue.update_dataset(ACTORS["admin"], draft.id, {"title": "Hai"}, seen_revision=1)
    assert queries.dataset(COMMAND_LINE, draft.id).text("title") == {"vi": "Một"}
    catalogue.update_dataset(ACTORS["admin"], draft.id, {"title": "Hai"}, seen_revision=2)
    assert queries.dataset(COMMAND_LINE, draft.id).text("title") == {"vi": "Hai"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"publisher": None}, "publisher"),
        ({"publisher": "KHONG.CO"}, "publisher"),
        ({"rating": 5}, "rating"),
        ({"rating": None}, "rating"),
        ({"issued": "2025-02-30"}, "issued"),
    ],
)
def test_wrong_changes_are_named_and_nothing_is_written(
    catalogue, queries, draft, changes, field: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        catalogue.update_dataset(COMMAND_LINE, draft.id, changes)
    assert [error.field for error in refused.value.errors] == [field]
    assert queries.dataset(COMMAND_LINE, draft.id).revision == 1


def test_moving_to_another_agency_needs_rights_in_both(catalogue, draft) -> None:
    for name in ("editor", "admin"):
        with pytest.raises(ForbiddenError):
            catalogue.update_dataset(ACTORS[name], draft.id, {"publisher": OTHER})
    with pytest.raises(NotFoundError):
        catalogue.update_dataset(ACTORS["elsewhere"], draft.id, {"publisher": OTHER})
    assert catalogue.update_dataset(ACTORS["both"], draft.id, {"publisher": OTHER}).agency_code == OTHER
    with pytest.raises(NotFoundError):
        catalogue.update_dataset(ACTORS["editor"], draft.id, {"title": "x"})


# -- publishing, withdrawing, deleting ------------------------------------------------------


def test_publishing_twice_changes_nothing_more(catalogue, published, clock, database) -> None:
    before = told(database)
    clock.advance(days=1)
    again = catalogue.publish_dataset(ACTORS["editor"], published.id)
    assert (again.state, again.published_at) == ("published", published.published_at)
    assert told(database) == before
    assert trail(database, published.id)[-1] == ("editor", "dataset.publish", {"already": True})


def test_withdrawn_is_out_of_sight_and_comes_back_with_its_first_date(
    catalogue, queries, published, clock
) -> None:
    first = published.published_at
    clock.advance(days=1)
    catalogue.withdraw_dataset(ACTORS["admin"], published.id)
    with pytest.raises(NotFoundError):
        queries.dataset(ACTORS["reader"], published.slug)
    assert queries.dataset(ACTORS["editor"], published.slug).state == "withdrawn"
    catalogue.publish_dataset(ACTORS["admin"], published.id)
    assert queries.dataset(ACTORS["visitor"], published.slug).published_at == first


def test_a_deleted_draft_is_gone_with_its_history(catalogue, queries, draft, database) -> None:
    catalogue.delete_draft(ACTORS["editor"], draft.slug)
    with pytest.raises(NotFoundError):
        queries.dataset(COMMAND_LINE, draft.id)
    with pytest.raises(NotFoundError):
        catalogue.update_dataset(COMMAND_LINE, draft.id, {"title": "x"})
    assert trail(database, draft.id)[-1] == ("editor", "dataset.delete", {"slug": draft.slug})
    assert told(database)[-1] == ("dataset.changed", {"dataset_id": draft.id})
    assert catalogue.create_dataset(COMMAND_LINE, METADATA).slug == draft.slug


@pytest.mark.parametrize("withdrawn", [False, True])
def test_what_was_ever_public_cannot_be_deleted(catalogue, queries, published, withdrawn: bool) -> None:
    if withdrawn:
        catalogue.withdraw_dataset(COMMAND_LINE, published.id)
    with pytest.raises(NotADraftError):
        catalogue.delete_draft(COMMAND_LINE, published.id)
    assert queries.dataset(COMMAND_LINE, published.id)


@pytest.mark.parametrize("key", ["", "khong-co", "0" * 26, "\x00", "a" * 5000, "đ/../x"])
def test_what_is_not_there_is_said(catalogue, queries, draft, key: str) -> None:
    for ask in (
        lambda: queries.dataset(COMMAND_LINE, key),
        lambda: queries.revisions(COMMAND_LINE, key),
        lambda: catalogue.publish_dataset(COMMAND_LINE, key),
    ):
        with pytest.raises(NotFoundError):
            ask()


# -- reading --------------------------------------------------------------------------------


def test_an_officers_shelf_holds_every_state_latest_change_first(catalogue, queries, clock) -> None:
    made = []
    for title in ("Một", "Hai", "Ba"):
        clock.advance(minutes=1)
        made.append(catalogue.create_dataset(COMMAND_LINE, {**METADATA, "title": title}).slug)
    catalogue.create_dataset(COMMAND_LINE, {**METADATA, "publisher": OTHER, "title": "Bốn"})
    catalogue.publish_dataset(COMMAND_LINE, "mot")
    clock.advance(minutes=1)
    catalogue.update_dataset(COMMAND_LINE, "mot", {"description": "mới"})
    editor = ACTORS["editor"]
    shelf = [view.slug for view in queries.datasets_of(editor, frozenset({AGENCY}))]
    assert shelf == ["mot", "ba", "hai"]
    assert [view.slug for view in queries.datasets_of(editor, frozenset({OTHER}))] == []
    assert [view.slug for view in queries.datasets_of(ACTORS["visitor"], frozenset({AGENCY}))] == ["mot"]
    assert queries.datasets_of(editor, frozenset()) == ()


def test_figures_count_what_is_public(catalogue, queries, published, database) -> None:
    catalogue.create_dataset(COMMAND_LINE, {**METADATA, "title": "Nháp"})
    other = catalogue.create_dataset(COMMAND_LINE, {**METADATA, "publisher": OTHER, "title": "Khác"})
    catalogue.publish_dataset(COMMAND_LINE, other.id)
    catalogue.count_use({published.id: 3}, {published.id: 2, other.id: 5, "khong-co": 7})
    figures = queries.figures()
    assert (figures.datasets, figures.publishers, figures.downloads) == (2, 2, 7)
    assert queries.dataset(COMMAND_LINE, published.id).view_count == 3


@pytest.mark.parametrize("name", ACTORS)
def test_a_view_says_whether_it_may_be_edited(queries, published, name: str) -> None:
    assert queries.dataset(ACTORS[name], published.id).may_edit == (name in EDITORS)


def test_names_of_people_do_not_give_rights(catalogue, draft) -> None:
    with pytest.raises(NotFoundError):
        catalogue.update_dataset(person("admin"), draft.id, {"title": "x"})
