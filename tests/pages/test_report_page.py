"""The report as a reader uses it, in a browser."""

import math
import re
from dataclasses import replace

import pytest
from PIL import Image

from hqm_mmdet.pages.pictures import ImageFolder
from hqm_mmdet.pages.render import write_page
from hqm_mmdet.pages.report import build_report
from tests.browser import wait_until, watched_page
from tests.pages.cases import ERRORS, HOSTILE, image_case, make_analysis, make_comparison

pytestmark = pytest.mark.browser
CLASSES = make_comparison().second.classes


@pytest.fixture(scope="module")
def page(browser, report_file):
    with watched_page(browser) as page:
        page.set_default_timeout(5000)
        page.goto(report_file.as_uri())
        yield page


@pytest.fixture(autouse=True)
def clean(page):
    """Each test begins with the page as it is first seen."""
    page.reload()


def column(page, number: int) -> list[str]:
    """Texts of a column of the class table; columns that are only filtered by count, too."""
    return page.eval_on_selector_all(
        "#class-table tbody tr", f"rows => rows.map(row => row.children[{number}].textContent)"
    )


def heads(page) -> list[str]:
    return page.eval_on_selector_all("#class-table thead th", "heads => heads.map(head => head.textContent)")


def shown(page) -> str:
    return page.inner_text("#class-table output")


def test_numbers_sort_both_ways_and_missing_ones_stay_last(page):
    ap = heads(page).index("AP")
    for direction in ("descending", "ascending"):
        page.locator("#class-table").get_by_role("button", name="AP", exact=True).click()
        assert page.get_attribute(f"#class-table thead th:nth-child({ap + 1})", "aria-sort") == direction
        texts = column(page, ap)
        numbers = [float(text) for text in texts if text != "–"]
        assert numbers == sorted(numbers, reverse=direction == "descending") and len(numbers) == 36
        assert texts[36:] == ["–"] * 4


def test_names_sort_as_text(page):
    page.click("#class-table thead th:first-child button")
    names = column(page, 0)
    assert names != sorted((row.name for row in CLASSES), reverse=True)
    assert page.get_attribute("#class-table thead th:first-child", "aria-sort") == "ascending"
    rides = [name for name in names if name.startswith("ride")]
    assert rides == sorted(rides) and len(rides) == 8


def test_counts_sort_as_numbers(page):
    page.locator("#class-table").get_by_role("button", name="Training").click()
    counts = [int(text.replace(",", "")) for text in column(page, heads(page).index("Training"))]
    assert counts == sorted((row.num_train for row in CLASSES), reverse=True) and max(counts) > 1000


def test_filters_by_verb_object_set_and_text(page):
    values = [row.ap for row in CLASSES if not math.isnan(row.ap)]
    assert shown(page) == f"40 of 40 classes shown, mean AP {100 * sum(values) / 36:.2f}"
    page.select_option("#class-table select[aria-label='Filter by verb']", "wash")
    washed = [row for row in CLASSES if row.verb == "wash"]
    assert sorted(column(page, 0)) == sorted(row.name for row in washed)
    values = [row.ap for row in washed if not math.isnan(row.ap)]
    mean = 100 * sum(values) / len(values)
    assert shown(page) == f"{len(washed)} of 40 classes shown, mean AP {mean:.2f}"
    page.select_option("#class-table select[aria-label='Filter by object']", "cup")
    assert column(page, 0) == ["wash cup"]
    page.select_option("#class-table select[aria-label='Filter by object']", "")
    page.select_option("#class-table select[aria-label='Filter by set']", "rare")
    assert sorted(column(page, 0)) == sorted(row.name for row in washed if row.group == "rare")
    page.locator("#class-table").get_by_role("button", name="Clear filters").click()
    assert shown(page).startswith("40 of 40")
    assert page.evaluate("document.activeElement.placeholder") == "Filter by text"  # the button is gone
    page.fill("#class-table input", "horse ride1")
    assert column(page, 0) == ["ride1 horse"]
    page.fill("#class-table input", "nothing like it")
    assert column(page, 0) == ["No classes match."] and shown(page) == "0 of 40 classes shown"


def test_slash_goes_to_the_filter(page):
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.dataset.filter") == ""
    page.keyboard.type("a/b")
    assert page.evaluate("document.activeElement.value") == "a/b"


def test_choosing_classes_draws_their_curves(page):
    def legend():
        return page.eval_on_selector_all("#class-plot .legend > span", "all => all.map(key => key.textContent)")

    assert legend() == ["mean of all classes"]
    page.fill("#class-table input", "wash cup")
    page.click("#class-table tbody tr")
    (row,) = [row for row in CLASSES if row.name == "wash cup"]
    assert legend()[1:] == [f"wash cup (AP {100 * row.ap:.1f})✕"]
    line = page.locator("#class-plot polyline.s0")
    assert len(line.get_attribute("points").split()) == len(row.recall)
    x, y = (float(number) for number in line.get_attribute("points").split()[-1].split(","))
    assert x == pytest.approx(52 + 456 * row.recall[-1], abs=0.5)
    assert y == pytest.approx(294 - 280 * row.precision[-1], abs=0.5)
    assert page.get_attribute("#class-table tbody tr", "aria-selected") == "true"
    assert page.locator("[data-table=classes] .dot.marked title").text_content().startswith("wash cup: AP")
    page.click("#class-plot .legend button")
    assert legend() == ["mean of all classes"] and page.locator(".dot.marked").count() == 0


def test_a_seventh_curve_takes_the_place_of_the_oldest(page):
    for number in range(7):
        page.click(f"#class-table tbody tr:nth-child({number + 1}) button")
    pressed = page.eval_on_selector_all(
        "#class-table button[aria-pressed]", "all => all.slice(0, 8).map(one => one.getAttribute('aria-pressed'))"
    )
    assert pressed == ["false", *["true"] * 6, "false"]
    lines = page.locator("#class-plot polyline.line:not(.quiet)")
    assert sorted(lines.evaluate_all("all => all.map(line => line.getAttribute('class'))")) == [
        f"line s{series}" for series in range(6)
    ]


def test_a_dot_chooses_its_class(page):
    dot = page.locator("[data-table=classes] .dot").first
    name = dot.locator("title").text_content().split(":")[0]
    dot.dispatch_event("click")
    assert name in page.inner_text("#class-plot .legend")


def test_rows_by_keyboard(page):
    page.focus("#class-table tbody tr:first-child button")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.get_attribute("#class-table tbody tr:nth-child(3)", "aria-selected") == "true"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    assert page.get_attribute("#class-table tbody tr:nth-child(2)", "aria-selected") == "true"
    assert page.locator("#class-table tbody button[tabindex='0']").count() == 1


def test_comparison_shows_both_curves_of_a_class(page):
    changes = page.eval_on_selector_all(
        "#change-table tbody tr", "rows => rows.map(row => row.children[5].textContent)"
    )
    numbers = [float(text.replace("−", "-")) for text in changes if text != "–"]
    assert numbers == sorted(numbers, reverse=True) and numbers[0] > 0 > numbers[-1]
    page.click("#change-table tbody tr")
    lines = page.locator("#change-plot polyline.line").evaluate_all(
        "all => all.map(line => line.getAttribute('class'))"
    )
    assert lines == ["line s0 dashed", "line s0"]
    assert [
        text.strip() for text in page.locator("#comparison td.better, #comparison td.worse").all_text_contents()
    ] == [
        "better",
        "worse",
    ]


def test_lightbox_by_pointer(page):
    page.click("#worst-images .card button")
    dialog = page.get_by_role("dialog", name="image_3.png")
    assert dialog.is_visible() and dialog.locator(".place").inner_text() == "1 of 3"
    assert dialog.locator(".previous").is_disabled()
    dialog.locator(".next").click()
    assert page.get_by_role("dialog", name="image_4.png").is_visible()
    dialog.locator(".close").click() if dialog.count() else page.click("dialog .close")
    page.locator("dialog").wait_for(state="detached")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Enlarge image_3.png"


def test_lightbox_by_keyboard(page):
    page.focus("#best-images .card:nth-child(2) button")
    page.keyboard.press("Enter")
    assert page.inner_text("dialog h3") == "image_1.png"
    for key, name in (("ArrowRight", "image_2.png"), ("ArrowRight", "image_2.png"), ("ArrowLeft", "image_1.png")):
        page.keyboard.press(key)
        assert page.inner_text("dialog h3") == name
    page.keyboard.press("Escape")
    wait_until(page, "document.activeElement.getAttribute('aria-label') === 'Enlarge image_1.png'")
    page.locator("dialog").wait_for(state="detached")


def test_a_triplet_stands_out_while_the_pointer_or_the_focus_is_on_it(page):
    page.click("#worst-images .card button")
    panels = page.locator("dialog .panel")
    predicted = panels.nth(1)
    assert panels.count() == 2 and predicted.locator(".pair").count() == 2  # three triplets, two of one pair
    assert predicted.locator(".pair.faded").count() == 0
    entries = page.locator("dialog .set").nth(1).locator("li button")
    assert entries.count() == 4
    entries.nth(2).hover()
    assert predicted.locator(".pair.faded").count() == 1
    assert predicted.locator(".pairtag text").all_text_contents() == ["✗ ride bicycle 0.32 · duplicate"]
    entries.nth(3).focus()
    assert "wave 0.05" in predicted.locator(".pairtag text").text_content()  # beyond those shown at first
    page.locator("dialog h3").hover()
    page.focus("dialog .close")
    assert predicted.locator(".pair.faded").count() == 0 and predicted.locator(".pair").count() == 2


def test_sets_are_switched_off_and_on(page):
    page.click("#worst-images .card button")
    large = page.locator("dialog .panel .picture").first
    before = large.bounding_box()["width"]
    page.get_by_role("checkbox", name=re.compile("Predicted")).uncheck()
    assert page.locator("dialog .panel:visible").count() == 1
    wait_until(page, "before => document.querySelector('dialog .panel .picture').clientWidth > before", before)
    page.get_by_role("checkbox", name=re.compile("Predicted")).check()
    assert page.locator("dialog .panel:visible").count() == 2


def test_boxes_lie_where_the_annotation_says(page):
    """Corner of the subject's box, from pixels of the image to pixels of the screen."""
    panel = page.locator("#worst-images .card").first.locator(".panel").first
    frame, box = panel.locator(".picture").bounding_box(), panel.locator(".pair rect.edge").last.bounding_box()
    assert panel.locator("img").evaluate("image => [image.complete, image.naturalWidth]") == [True, 240]
    corners = panel.locator(".pair rect.edge:not(.object)").evaluate_all(
        "all => all.map(r => [r.x, r.y, r.width, r.height].map(side => side.baseVal.value))"
    )
    assert [23, 10, 67, 180] in corners
    assert frame["x"] <= box["x"] and box["x"] + box["width"] <= frame["x"] + frame["width"] + 1


def test_without_an_image_file_the_boxes_stand_on_grey(page):
    cards = page.locator("#worst-images .card")
    assert cards.nth(0).locator("img").count() == 2 and cards.nth(1).locator("img").count() == 0
    assert cards.nth(1).locator(".nofile").all_text_contents() == ["no image file"] * 2
    assert cards.nth(1).locator(".pair").count() > 0


def test_names_from_data_stay_text(page):
    page.click("#worst-images .card button")
    assert f"{HOSTILE} bicycle" in page.inner_text("dialog")
    page.keyboard.press("Escape")
    page.fill("#class-table input", "<script>")
    page.click("#class-table tbody tr")
    assert page.inner_text("#class-plot .legend").count("<script>alert(1)</script>") == 1
    assert f"a note about {HOSTILE}" in page.inner_text("header")
    assert page.locator("script").count() == 2 and page.locator("b").count() == 0


def test_errors_are_listed_with_what_they_cost(page):
    rows = page.locator("#errors tbody").first.locator("tr")
    assert rows.count() == len(ERRORS)
    verb = rows.nth(1).inner_text()
    assert verb.startswith("verb") and "+6.10" in verb and "310" in verb
    widths = rows.locator("svg rect").evaluate_all("all => all.map(bar => bar.width.baseVal.value)")
    assert widths[1] == pytest.approx(100 * 61 / 83, abs=0.01) and max(widths) == 100
    assert page.locator("#errors .limits tr").last.inner_text().startswith("all missed")


def test_every_section_says_how_to_read_it(page):
    sections = page.locator("main > section")
    titles = page.locator(".contents a").all_text_contents()
    assert titles == sections.locator("h2").all_text_contents() and len(titles) == 5
    assert all(len(text) > 40 for text in sections.locator(".lead").all_text_contents())


@pytest.mark.parametrize("width", [390, 700, 1100])
def test_nothing_overflows(page, width):
    page.set_viewport_size(dict(width=width, height=844))
    try:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.click("#worst-images .card:nth-child(3) button")  # the one with a long name
        for part in page.locator("dialog, dialog .close, dialog .picture, dialog li button").all():
            box = part.bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= width
    finally:
        page.set_viewport_size(dict(width=1280, height=900))


def test_dark_scheme(page):
    def colours():
        return page.evaluate("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")

    assert colours() == ["rgb(255, 255, 255)", "rgb(28, 32, 36)"]
    page.emulate_media(color_scheme="dark")
    try:
        assert colours() == ["rgb(20, 23, 26)", "rgb(230, 232, 234)"]
    finally:
        page.emulate_media(color_scheme="light")


def test_print_shows_whole_tables(page):
    page.emulate_media(media="print")
    try:
        box = page.locator("#class-table .tablebox")
        assert box.evaluate("box => box.scrollHeight <= box.clientHeight + 1")
        assert not page.locator("#class-table .controls").is_visible()
    finally:
        page.emulate_media(media="screen")


def test_report_of_nothing(browser, tmp_path):
    nothing = replace(make_comparison().second, classes=(), best=(), worst=(), errors=(), limits=())
    file = write_page(tmp_path, build_report(nothing, ImageFolder(None)))
    with watched_page(browser) as page:
        page.goto(file.as_uri())
        assert shown(page) == "0 of 0 classes shown" and page.locator(".card").count() == 0


def test_further_images_on_demand(browser, tmp_path):
    run = make_comparison(3).second
    file = write_page(
        tmp_path, build_report(replace(run, worst=tuple(image_case(i, 0) for i in range(8))), ImageFolder(None))
    )
    with watched_page(browser) as page:
        page.goto(file.as_uri())
        assert page.locator("#worst-images .card:visible").count() == 4
        page.get_by_role("button", name="Show 4 more").click()
        assert page.locator("#worst-images .card:visible").count() == 8
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Enlarge image_4.png"
        assert page.locator("#worst-images .card").last.locator(".pair").count() > 0


def test_labels_of_a_comparison_are_not_judged(page):
    card = page.locator("#better-images .card").first
    texts = card.locator(".panel").first.locator("text").all_text_contents()
    assert "ride bicycle" in texts and "wave" in texts and not any(sign in "".join(texts) for sign in "✓✗")
    assert (
        card.locator("figcaption").inner_text() == "image_7.png · AP 20.0 → 90.0 · 1 → 2 of 3 labelled triplets found"
    )


def test_labels_of_the_tiniest_image_hold_their_text(browser, tmp_path):
    """Letters are a hundredth of such an image's pixels, which canvases do not measure."""
    Image.new("RGB", (1, 1)).save(tmp_path / "image_3.png")
    path = write_page(tmp_path / "out", build_report(make_analysis(5), ImageFolder(tmp_path)))
    with watched_page(browser) as page:
        page.goto(path.as_uri())
        tags = page.locator("#worst-images .card").first.locator(".pairtag")
        tags.first.wait_for()
        boxes = tags.evaluate_all("tags => tags.map(tag => [...tag.children].map(part => part.getBBox().width))")
        assert boxes and all(width > max(texts) for width, *texts in boxes)


def test_long_names_leave_room_for_the_numbers(browser, tmp_path):
    analysis = make_analysis(5)
    rows = (replace(analysis.classes[0], verb="v" * 200), *analysis.classes[1:])
    path = write_page(tmp_path, build_report(replace(analysis, classes=rows), ImageFolder(None)))
    with watched_page(browser) as page:
        page.goto(path.as_uri())
        box = "document.querySelector('#class-table .tablebox')"
        assert page.evaluate(f"{box}.scrollWidth <= {box}.clientWidth")


def test_print_keeps_the_colours_of_keys(page):
    page.emulate_media(media="print")
    adjust = "element => getComputedStyle(element).getPropertyValue('print-color-adjust')"
    assert page.locator(".legend .dot").first.evaluate(adjust) == "exact"
    page.emulate_media(media="screen")


def test_what_the_comparison_says_fits_on_a_phone(browser, tmp_path):
    comparison = make_comparison(5)
    first, second = replace(comparison.first, name="qpic_toy"), replace(comparison.second, name="qpic_hqm_toy")
    html = build_report(replace(comparison, first=first, second=second), ImageFolder(None))
    with watched_page(browser, width=390) as page:
        page.goto(write_page(tmp_path, html).as_uri())
        for verdict in page.locator("#comparison .changes td:last-child").all():
            assert verdict.bounding_box()["x"] + verdict.bounding_box()["width"] <= 390
