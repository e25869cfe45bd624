"""A citizen's way, in a real browser: home, a search without diacritics, the dataset, its table, the download."""

from __future__ import annotations

import pytest

CSV = "ma,ten,dan_so\n" + "".join(f"{n:02d},Tỉnh {n},{n * 1111}\n" for n in range(1, 64))


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_home_to_the_file_on_disk(visit, publish, scripts) -> None:
    slug, _ = publish("Dân số các tỉnh, thành phố", CSV, theme="dia-phuong")
    publish("Giá điện bán lẻ", "nam,gia\n2024,2103\n", theme="nang-luong")
    page = visit.open("/en/", java_script_enabled=scripts)
    page.get_by_role("searchbox", name="Search datasets").or_(
        page.get_by_role("combobox", name="Search datasets")
    ).fill("dan so cac tinh")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/datasets?q=dan+so+cac+tinh")
    page.get_by_role("link", name="Dân số các tỉnh, thành phố").click()
    page.wait_for_url(f"**/datasets/{slug}")
    page.get_by_role("link", name="Look at the table").click()
    assert page.get_by_role("table").first.locator("tbody tr").count() == 40
    page.get_by_role("link", name="Next →").click()
    assert page.get_by_text("Rows 41–63 of 63").is_visible()
    page.get_by_role("link", name="dan_so").first.click()
    page.get_by_role("link", name="dan_so").first.click()
    assert page.get_by_role("table").first.locator("tbody tr").first.inner_text().split("\t")[-1] == "69,993"
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Original (CSV)").click()
    with open(waiting.value.path(), encoding="utf-8") as saved:  # noqa: PTH123 - the browser names the path
        assert saved.read() == CSV


def test_filters_search_at_once_and_chips_take_them_back(visit, publish) -> None:
    publish("Dân số các tỉnh", CSV, theme="dia-phuong")
    publish("Giá điện bán lẻ", "nam,gia\n2024,2103\n", theme="nang-luong")
    page = visit.open("/en/datasets")
    assert page.get_by_role("button", name="Apply filters").is_hidden()
    page.get_by_label("Energy").check()
    page.wait_for_url("**/datasets?theme=nang-luong")
    assert page.locator("article").count() == 1
    page.get_by_role("link", name="Remove the filter Theme: Energy").click()
    page.wait_for_url("**/datasets")
    assert page.locator("article").count() == 2


def test_filters_work_without_scripts(visit, publish) -> None:
    publish("Dân số các tỉnh", CSV, theme="dia-phuong")
    publish("Giá điện bán lẻ", "nam,gia\n2024,2103\n", theme="nang-luong")
    page = visit.open("/en/datasets", java_script_enabled=False, viewport={"width": 360, "height": 720})
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Energy").check()
    page.get_by_role("button", name="Apply filters").click()
    page.wait_for_url("**theme=nang-luong**")
    assert page.locator("article").count() == 1


def test_everything_is_within_reach_of_the_keyboard(visit, publish) -> None:
    slug, _ = publish("Dân số các tỉnh", CSV, keywords=["dân số"])
    page = visit.open("/en/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("dan so")
    options = page.get_by_role("option")
    options.first.wait_for()
    box = page.get_by_role("combobox")
    assert box.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    chosen = options.first
    assert chosen.get_attribute("aria-selected") == "true"
    assert box.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    page.keyboard.press("Escape")
    assert box.get_attribute("aria-expanded") == "false"
    assert box.input_value() == "dan so"
    page.keyboard.press("Enter")
    page.wait_for_url("**/datasets?q=dan+so")
    press_until(page, "a", "Dân số các tỉnh")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/datasets/{slug}")
    press_until(page, "a", "Look at the table")
    page.keyboard.press("Enter")
    page.wait_for_url("**/resources/*")
    press_until(page, "summary", "Filter the rows")
    page.keyboard.press("Enter")
    press_until(page, "input", "")
    page.keyboard.type("Tỉnh 63")


def press_until(page, tag: str, text: str) -> None:
    """Tab to the next element of that kind and text; every stop must be visibly focused."""
    for _ in range(80):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
            return [e.localName, e.textContent.trim(), s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2]; }"""
        )
        assert seen[2], f"the focus cannot be seen on {seen[:2]}"
        if seen[0] == tag and text in seen[1]:
            return
    raise AssertionError(f"no {tag} “{text}” was reached")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_their_window_and_name_their_controls(visit, publish, width, scheme) -> None:
    slug, resource_id = publish(
        "Dân số các tỉnh", CSV, theme="dia-phuong", source_url="https://example.org/" + "x" * 150
    )
    wide = "cot," + ",".join(f"cot_{n}" for n in range(60)) + "\n" + ",".join("chữ" for _ in range(61)) + "\n"
    wide_slug, wide_id = publish("Một-cái-tên-rất-dài-" * 6, wide)
    page = visit.open("/vi/", viewport={"width": width, "height": 800}, color_scheme=scheme)
    visit.expected = ("404 (NOT FOUND)", "400 (BAD REQUEST)")
    visit.sign_in(page)
    for path in (
        "/vi/",
        "/vi/datasets?q=dan+so",
        "/vi/datasets?q=khongco123",
        f"/vi/datasets/{slug}",
        f"/vi/datasets/{wide_slug}",
        f"/vi/datasets/{slug}/resources/{resource_id}?q=1&dan_so__ge=5",
        f"/vi/datasets/{slug}/resources/{resource_id}?khong_co=1",
        f"/vi/datasets/{wide_slug}/resources/{wide_id}",
        f"/vi/datasets/{slug}/resources/{resource_id}/rows/1",
        "/vi/publish",
        "/vi/publish/new",
        f"/vi/publish/{slug}",
        f"/vi/publish/{slug}/edit",
        f"/vi/publish/{slug}/files/{resource_id}",
        "/vi/account",
        "/vi/khong-co",
    ):
        page.goto(visit.live.address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (
            f"{path} is wider than {width} px"
        )
        assert page.evaluate(NAMELESS) == [], path
        assert page.evaluate(SKIPPED_LEVELS) == [], path


# Controls and links without a name a screen reader could say, and ids used twice.
NAMELESS = """() => {
  const nameless = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
    .filter(e => e.checkVisibility())
    .filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length || e.title))
    .map(e => e.outerHTML.slice(0, 120));
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  return [...nameless, ...ids.filter((id, at) => ids.indexOf(id) !== at)];
}"""
SKIPPED_LEVELS = """() => {
  const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map(e => Number(e.localName[1]));
  return levels.filter((level, at) => level - (levels[at - 1] ?? 0) > 1);
}"""


def test_copying_puts_the_whole_text_on_the_clipboard(visit, publish) -> None:
    slug, resource_id = publish("Dân số các tỉnh", CSV)
    page = visit.open(f"/en/datasets/{slug}", permissions=["clipboard-read", "clipboard-write"])
    page.locator("details", has_text="curl").first.evaluate("e => { e.open = true }")
    block = page.locator(".copyable", has_text="--output").first
    block.get_by_role("button", name="Copy").click()
    block.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == block.locator("code").text_content()
    assert resource_id in page.evaluate("navigator.clipboard.readText()")


def test_the_printed_page_keeps_the_words_and_drops_the_controls(visit, publish) -> None:
    slug, _ = publish("Dân số các tỉnh", CSV)
    page = visit.open(f"/en/datasets/{slug}")
    page.emulate_media(media="print")
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.get_by_text("Key facts").is_visible()
    assert not page.get_by_role("navigation", name="Main").is_visible()
