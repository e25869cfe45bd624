"""An officer's way, in a real browser: sign in, describe, drop a file, mend what is wrong, see it public."""

from __future__ import annotations

import pytest

CSV = "ma,ten,ngay\n" + "".join(f"{n:03d},Mục {n},{1 + n % 28:02d}/03/2024\n" for n in range(1, 31))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "danh_muc.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_the_form_to_a_public_table(visit, file, scripts) -> None:
    page = visit.open("/en/", java_script_enabled=scripts)
    visit.sign_in(page)
    page.get_by_role("link", name="New dataset").first.click()
    page.get_by_label("Tiếng Việt").first.fill("Danh mục thử")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Save and send the file").click()
    page.wait_for_url("**/publish/danh-muc-thu/files/*")
    page.locator("[data-settled]").wait_for()
    assert page.get_by_text("The file became 1 table.").is_visible()
    page.get_by_role("link", name="Look at it").click()
    reader = visit.open("/en/datasets/danh-muc-thu")
    assert reader.get_by_role("link", name="danh_muc", exact=True).is_visible()
    assert "30 rows × 3 columns" in reader.get_by_role("main").inner_text()


def test_mending_a_refused_form(visit, file) -> None:
    visit.expected = ("422 (UNPROCESSABLE ENTITY)",)
    page = visit.open()
    visit.sign_in(page)
    page.goto(f"{visit.live.address}/en/publish/new")
    page.get_by_text("Contact").first.click()
    page.get_by_label("Contact e-mail").fill("không phải thư")
    page.locator('[id="description.vi"]').fill("Không được mất")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Save and send the file").click()
    alert = page.get_by_role("alert").first
    alert.wait_for()
    assert page.evaluate("document.activeElement.id") == "errors"
    assert page.title().startswith("Error:")
    assert page.locator('[id="description.vi"]').input_value() == "Không được mất"
    assert page.get_by_text("choose the file once more").is_visible()
    alert.get_by_role("link", name="Title").click()
    assert page.evaluate("document.activeElement.id") == "title.vi"
    page.keyboard.type("Bây giờ có tên")
    alert.get_by_role("link", name="Contact e-mail").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("dulieu@example.org")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Save and send the file").click()
    page.wait_for_url("**/publish/bay-gio-co-ten/files/*")
    page.locator("[data-settled]").wait_for()


def test_a_form_without_a_file_is_kept_by_the_browser_or_saved_as_a_draft(visit) -> None:
    page = visit.open()
    visit.sign_in(page)
    page.goto(f"{visit.live.address}/en/publish/new")
    page.get_by_label("Tiếng Việt").first.fill("Chỉ có mô tả")
    page.get_by_role("button", name="Save and send the file").click()
    assert page.url.endswith("/publish/new")  # the browser asks for the file itself
    assert page.get_by_label("Tiếng Việt").first.input_value() == "Chỉ có mô tả"
    page.get_by_role("button", name="Save as a draft without a file").click()
    page.wait_for_url("**/publish/chi-co-mo-ta?done=created")
    assert page.get_by_text("Now add its first file").is_visible()


def test_a_broken_file_is_explained_and_replaced(visit, file, tmp_path) -> None:
    broken = tmp_path / "hong.csv"
    broken.write_bytes(b"ma,ten\n" + b"\0" * 400)
    page = visit.open()
    visit.sign_in(page)
    page.goto(f"{visit.live.address}/en/publish/new")
    page.get_by_label("Tiếng Việt").first.fill("Tệp hỏng")
    page.get_by_label("File", exact=True).set_input_files(broken)
    page.get_by_role("button", name="Save and send the file").click()
    page.locator("[data-settled]").wait_for()
    assert page.get_by_text("This version was not published.").is_visible()
    assert "NUL" in page.get_by_role("main").inner_text()
    page.get_by_role("main").get_by_role("link", name="Back to the dataset").click()
    page.get_by_text("Replace or remove this file").click()
    page.locator(".bench-file").get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Send the new version").click()
    page.locator("[data-settled]").wait_for()
    assert page.get_by_text("The file became 1 table.").is_visible()


def test_a_token_can_be_made_and_copied(visit) -> None:
    page = visit.open()
    visit.sign_in(page)
    page.get_by_role("link", name="Account").click()
    page.get_by_label("What it is for").fill("Máy chủ")
    page.get_by_role("button", name="Make a token").click()
    assert page.locator("code").first.inner_text().startswith("odp_")
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{visit.live.address}/en/account")
    assert "/sign-in?next=" in page.url


def test_a_file_too_large_is_refused_before_it_is_sent(visit, tmp_path) -> None:
    large = tmp_path / "lon.csv"
    with large.open("wb") as out:
        out.truncate(65 << 20)  # the tests' portal takes 64 MB
    page = visit.open()
    visit.sign_in(page)
    page.goto(f"{visit.live.address}/en/publish/new")
    page.get_by_label("Tiếng Việt").first.fill("Quá lớn")
    page.get_by_label("File", exact=True).set_input_files(large)
    page.get_by_role("button", name="Save and send the file").click()
    message = page.get_by_label("File", exact=True).evaluate("e => e.validationMessage")
    assert "64" in message
    assert page.get_by_label("Tiếng Việt").first.input_value() == "Quá lớn"
    assert page.url.endswith("/publish/new")
