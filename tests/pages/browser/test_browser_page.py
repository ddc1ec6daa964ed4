"""The data set's page in a real browser: what a reader does with it."""

import pytest

from hqm_mmdet.pages.browser import render_browser
from hqm_mmdet.pages.render import write_page
from tests.browser import watched_page
from tests.pages.browser.data_sets import BOLD, HOSTILE, browsed, browsed_files
from tests.pages.browser.test_browser_data import data_of

browser_test = pytest.mark.browser


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Address of the page of the small data set."""
    folder = tmp_path_factory.mktemp("small")
    return write_page(folder, render_browser(browsed(folder / "data"), progress=False)).as_uri()


@pytest.fixture(scope="module")
def hico_html(data_dir):
    files = [data_dir / f"hico_det/{name}_hico.json" for name in ("trainval", "test")]
    return render_browser(browsed_files("HICODetDataset", *files), images=False, progress=False)


@pytest.fixture(scope="module")
def hico(hico_html, tmp_path_factory):
    """Address of the page of HICO-DET."""
    return write_page(tmp_path_factory.mktemp("hico"), hico_html).as_uri()


@pytest.fixture
def page(browser, small):
    with watched_page(browser) as page:
        page.goto(small)
        yield page


def captions(page) -> list[str]:
    return page.locator("#images .card strong").all_text_contents()


def choose(page, what: str, value: str) -> None:
    page.get_by_label(f"Filter images by {what}", exact=True).select_option(value)


def square(page, verb: str, obj: str):
    return page.get_by_role("gridcell", name=f"{verb} {obj}:")


def count_text(page) -> str:
    return page.locator("#images output").text_content()


def wait_for_count(page, selector: str, number: int) -> None:
    """Boxes are drawn when the browser has given a picture its place; fails if they are not in the end."""
    page.wait_for_function("([css, n]) => document.querySelectorAll(css).length === n", arg=[selector, number])


# ---- gallery


@browser_test
def test_all_images_are_there(page):
    assert captions(page) == ["a.png", "b.png", "c.png", "d.png", "e.png", "f.png"]
    assert count_text(page) == "6 of 6 images match"
    assert page.locator("#images .card img").count() == 5  # f.png is lost
    width = page.locator("#images .card img").first.evaluate(
        "async image => (await image.decode(), image.naturalWidth)"
    )
    assert width == 96


@browser_test
@pytest.mark.parametrize(
    "filters, expected",
    [
        (dict(verb="hold"), ["a.png", "c.png", "e.png"]),
        (dict(verb="hold", object="cup"), ["a.png", "e.png"]),
        (dict(verb="hold", object=HOSTILE), ["a.png", "c.png"]),
        (dict(object="no object"), ["a.png"]),
        (dict(split="1"), ["e.png", "f.png"]),
        (dict(split="0", object="cup"), ["a.png"]),
        (dict(finding="tiny box"), ["c.png"]),
        (dict(finding="image without HOI"), ["d.png"]),
        (dict(finding="tiny box", split="1"), []),
    ],
    ids=str,
)
def test_filters(page, filters, expected):
    for what, value in filters.items():
        choose(page, what, value)
    assert captions(page) == expected and count_text(page).startswith(f"{len(expected)} of 6")
    page.get_by_role("button", name="Clear filters").last.click()
    assert len(captions(page)) == 6


@browser_test
def test_filter_by_name(page):
    page.get_by_label("Filter images by file name").fill("C.PNG")
    assert captions(page) == ["c.png"]
    page.get_by_label("Filter images by file name").fill("nothing")
    assert captions(page) == [] and page.get_by_text("No image of this page matches.").is_visible()


@browser_test
def test_cards_draw_what_was_filtered_by(page):
    texts = page.locator("#images .card:first-child svg .text")
    boxes = "#images .card:first-child g.pair"
    wait_for_count(page, boxes, 3)
    choose(page, "verb", "wave")
    wait_for_count(page, boxes, 1)
    assert texts.all_text_contents() == ["wave"]
    choose(page, "verb", "")
    wait_for_count(page, boxes, 3)
    choose(page, "finding", "tiny box")
    wait_for_count(page, boxes, 1)
    assert texts.all_text_contents() == [f"✗ tiny box ({HOSTILE})"]


@browser_test
def test_the_whole_data_set_is_counted(page):
    choose(page, "verb", "hold")
    assert page.locator("#images .told").text_content() == "hold any object: the data set has 4 HOIs."
    choose(page, "object", "cup")
    choose(page, "split", "1")
    assert page.locator("#images .told").text_content() == "hold cup: test has 1 HOI in 1 image."
    choose(page, "finding", "tiny box")
    assert "tiny box: found 0 times in 0 images of test." in page.locator("#images .told").text_content()


# ---- matrix, findings and tables lead to images


@browser_test
def test_a_square_leads_to_its_images(page):
    assert page.locator("#matrix [data-cell]").count() == 5
    square(page, "hold", "cup").click()
    assert captions(page) == ["a.png", "e.png"]
    top = "document.querySelector('#images h2').getBoundingClientRect().top"
    page.wait_for_function(f"() => 0 <= {top} && {top} < 200")  # it scrolls there
    assert page.evaluate("document.activeElement.closest('.card') !== null")


@browser_test
def test_squares_tell_their_numbers(page):
    assert square(page, "hold", HOSTILE).text_content() == "2"
    square(page, "hold", HOSTILE).hover()
    assert page.locator("#matrix .told").text_content() == f"hold {HOSTILE}: 2 HOIs in 2 images"
    page.get_by_label("Count in").select_option("1")
    assert page.locator("#matrix [data-cell]").count() == 2  # empty rows and columns are gone
    assert page.locator("#matrix tbody tr").count() == 2 and page.locator("#matrix thead th").count() == 2
    square(page, BOLD, "person").click()
    assert captions(page) == ["f.png"]


@browser_test
def test_order_of_the_matrix(page):
    rows = page.locator("#matrix tbody th")
    assert rows.all_text_contents() == ["hold", BOLD, "wave"]
    assert page.locator("#matrix thead th").all_text_contents() == ["no object", HOSTILE, "cup", "person"]
    page.get_by_label("Order").select_option("name")
    assert rows.all_text_contents() == [BOLD, "hold", "wave"]


@browser_test
def test_the_matrix_by_keyboard(page):
    page.get_by_label("Order").focus()
    page.keyboard.press("Tab")
    focused = "document.activeElement.getAttribute('aria-label')"
    if page.evaluate(focused) is None or ":" not in page.evaluate(focused):
        page.keyboard.press("Tab")  # browsers make a box that scrolls a stop of its own
    assert page.evaluate(focused).startswith(f"hold {HOSTILE}:")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused).startswith("hold cup:")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused).startswith(f"{BOLD} {HOSTILE}:")
    page.keyboard.press("ArrowRight")  # over an empty square
    assert page.evaluate(focused).startswith(f"{BOLD} person:")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused).startswith(f"{BOLD} person:")
    page.keyboard.press("Enter")
    assert captions(page) == ["f.png"]


@browser_test
def test_findings_lead_to_images(page):
    page.get_by_role("button", name="HOI repeated").click()
    assert captions(page) == ["b.png"]
    assert page.get_by_label("Filter images by finding").input_value() == "HOI repeated"


@browser_test
def test_tables_sort_and_lead_to_images(page):
    table = page.get_by_role("region", name="Table of triplets")
    first = table.locator("tbody tr").first
    assert first.locator("td").all_text_contents()[:4] == ["hold", HOSTILE, "rare", "2"]
    table.get_by_role("button", name="HOIs, test").click()
    assert first.locator("td").all_text_contents()[:2] == ["hold", "cup"]
    first.locator("button").click()
    assert captions(page) == ["a.png", "e.png"]
    page.get_by_role("region", name="Table of verbs").get_by_role("button", name="wave").press("Enter")
    assert captions(page) == ["a.png"]
    page.get_by_role("region", name="Table of objects").get_by_role("button", name="person").press("Enter")
    assert captions(page) == ["f.png"]


# ---- lightbox


@browser_test
def test_lightbox_by_keyboard(page):
    page.get_by_role("button", name="Enlarge a.png").press("Enter")
    box = page.get_by_role("dialog")
    assert box.locator("h3").text_content() == "a.png" and box.locator(".place").text_content() == "1 of 6"
    wait_for_count(page, "dialog g.pair:not(.faded)", 3)
    box.get_by_role("button", name="hold cup").focus()
    wait_for_count(page, "dialog g.faded", 2)
    page.keyboard.press("ArrowRight")
    assert box.locator("h3").text_content() == "b.png"
    page.keyboard.press("Escape")
    assert box.count() == 0
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Enlarge a.png"


@browser_test
def test_lightbox_stays_within_the_filter(page):
    choose(page, "object", "cup")
    page.get_by_role("button", name="Enlarge e.png").click()
    assert page.locator("dialog .place").text_content() == "2 of 2"


@browser_test
def test_sets_of_the_lightbox(page):
    """What was found is drawn when it was filtered by, or when it is switched on."""
    page.get_by_role("button", name="Enlarge c.png").click()
    panels = page.locator("dialog .panel:visible small")
    assert panels.all_text_contents() == ["Annotated HOIs"]
    page.get_by_label("Found by the checks (1)").check()
    assert panels.all_text_contents() == ["Annotated HOIs", "Found by the checks"]
    page.keyboard.press("Escape")
    choose(page, "finding", "tiny box")
    page.get_by_role("button", name="Enlarge c.png").click()
    assert panels.all_text_contents() == ["Found by the checks"]
    assert "annotations[1]: 2 x 20 pixels" in page.locator("dialog .side").text_content()


# ---- hostile names, phones, size


@browser_test
def test_names_stay_text(page):
    opened = []
    page.on("dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss()))
    square(page, "hold", HOSTILE).click()
    page.get_by_role("button", name="Enlarge a.png").click()
    assert page.locator("dialog").get_by_text(f"hold {HOSTILE}").first.is_visible()
    assert opened == [] and page.locator("script").count() == 2 and page.locator("main b").count() == 0


@browser_test
@pytest.mark.parametrize("which", ["small", "hico"])
def test_phone_width(browser, which, request):
    with watched_page(browser, 390, 844) as page:
        page.goto(request.getfixturevalue(which))
        assert page.locator("#images .card").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.locator("#images .card button").first.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        dialog = page.locator("dialog")
        assert dialog.evaluate("e => e.scrollWidth <= e.clientWidth && e.scrollLeft === 0")
        page.wait_for_function("() => document.querySelector('dialog .picture').clientWidth > 300")


def test_hico_det_is_small(hico_html, data_dir):
    data = data_of(hico_html)
    groups = [row[2] for row in data["tables"]["triplets"]["rows"]]
    assert (groups.count("rare"), groups.count("frequent")) == (138, 462)
    assert len(hico_html.encode()) < 4e6 and len(data["cells"]) == 600
    assert sum(sum(cell["hois"]) for cell in data["cells"]) == 117871 + 33405
    assert "37,633" in hico_html and str(data_dir) not in hico_html
    shown = {(t["verb"], t["object"], f["split"]) for f in data["figures"] for t in f["sets"][0]["triplets"]}
    assert len(shown) == 1200


@browser_test
def test_a_large_matrix_keeps_its_headings(browser, hico):
    with watched_page(browser) as page:
        page.goto(hico)
        assert page.locator("#matrix tbody tr").count() == 117 and page.locator("#matrix thead th").count() == 80
        assert page.locator("#matrix [data-cell]").count() == 600
        offsets = page.locator(".matrix").evaluate(
            """box => {
              box.scrollTo(500, 900);
              const at = (part) => [...box.querySelectorAll(part)].at(-1).getBoundingClientRect();
              const frame = box.getBoundingClientRect();
              return [box.scrollLeft, box.scrollTop, at("tbody th").left - frame.left, at("thead th").top - frame.top];
            }"""
        )
        assert min(offsets[:2]) > 100 and max(map(abs, offsets[2:])) < 3
        page.get_by_role("gridcell", name="ride bicycle:").click()
        assert 0 < page.locator("#images .card").count() <= 24


@browser_test
def test_more_images_on_demand(browser, hico):
    with watched_page(browser) as page:
        page.goto(hico)
        cards = page.locator("#images .card")
        assert cards.count() == 24
        page.get_by_role("button", name="Show more images").click()
        assert cards.count() == 48 and page.evaluate("document.activeElement.closest('.card') !== null")
