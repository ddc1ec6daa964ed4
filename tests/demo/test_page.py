"""The running demo, in a browser and by plain requests."""

import json
import logging
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("gradio", reason='the demo needs gradio: pip install -e ".[demo]"')
import httpx
import uvicorn.config

from hqm_mmdet.apis import HOIInferencer
from hqm_mmdet.demo import DemoSession
from hqm_mmdet.demo.page import QUEUE, DemoPage
from hqm_mmdet.demo.serving import STORED, demo_server
from hqm_mmdet.demo.upload_store import UploadStore
from hqm_mmdet.visualization import TripletSelection
from hqm_mmdet_cli.errors import UsageError
from tests.apis.conftest import noise
from tests.browser import open_browser, watched_page
from tests.conftest import REPOSITORY
from tests.demo.conftest import SCRIPT, encoded
from tests.models.tiny import NUM_QUERIES, NUM_VERBS

IMAGE = dict(name="a&b.png", mimeType="image/png", buffer=encoded())
EVENT = dict(session_hash="visitor", event_data=None, trigger_id=None)


@pytest.fixture(scope="module")
def contacted():
    """Addresses that this process connects to."""
    seen, connect = [], socket.socket.connect

    def record(self, address):
        seen.append(address[0] if isinstance(address, tuple) else "127.0.0.1")  # the latter: a socket file
        return connect(self, address)

    socket.socket.connect = record
    yield seen
    socket.socket.connect = connect


@pytest.fixture(scope="module")
def demo(session, contacted, tmp_path_factory):
    """Address of a demo with two examples."""
    folder = tmp_path_factory.mktemp("examples")
    for i in range(2):
        noise(90, 60, i).save(folder / f"example_{i}.png")
    with_examples = DemoSession(session.inferencer, session.limits, folder)
    with demo_server(with_examples, "<tiny>.pth: QPIC", port=0) as address:
        yield address.rstrip("/")


@pytest.fixture(scope="module")
def browser(demo):
    with open_browser() as browser:
        yield browser


@pytest.fixture
def open_page(browser, demo):
    """Opens the demo; the page is watched for errors and requests to other machines."""

    def open_it(page):
        page.set_default_timeout(20_000)
        page.goto(demo)
        page.get_by_text("example_0.png").wait_for()  # shown at once
        return page

    with watched_page(browser) as page:
        yield open_it(page)


def upload(page, file):
    page.locator("#upload input[type=file]").set_input_files(file)


def rows(page, count):
    """Texts of the table's cells, once it has so many rows."""
    page.wait_for_function(f"document.querySelectorAll('.hoi-result tbody tr').length == {count}")
    return [row.split("\t") for row in page.locator(".hoi-result tbody").inner_text().splitlines()]


def tab_to(page, part):
    """Press the tab key until something in the part has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("part => document.activeElement.closest(part) !== null", part):
            return
    pytest.fail(f"{part} can't be reached with the keyboard")


def files_in(folder):
    return {path for path in Path(folder).rglob("*") if path.is_file() and path.stat().st_size}


@pytest.mark.browser
def test_from_upload_to_attention_with_the_keyboard(open_page, passes):
    page, before = open_page, files_in(os.environ["GRADIO_TEMP_DIR"])
    upload(page, IMAGE)
    page.locator("#result", has_text=IMAGE["name"]).wait_for()
    page.get_by_text("Nothing to show").wait_for()
    tab_to(page, "#score")
    page.locator("#score input[type=range]").focus()
    page.keyboard.press("Home")
    table = rows(page, NUM_QUERIES * NUM_VERBS)
    assert SCRIPT in {row[2] for row in table} and "${1+1}" in {row[2] for row in table}
    assert [row[4] for row in table] == sorted((row[4] for row in table), reverse=True)
    assert page.locator(".gradio-container script").count() == 0

    tab_to(page, "#verbs")
    page.keyboard.type("sit on")
    page.keyboard.press("Enter")
    assert {row[2] for row in rows(page, NUM_QUERIES)} == {"sit on"}
    page.locator("#pairs input[type=range]").focus()
    page.keyboard.press("Home")
    rows(page, 1)
    assert len(passes) == 1

    tab_to(page, "#pair")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator(".hoi-cells figure").nth(2).wait_for()
    assert page.locator(".hoi-cells figcaption").all_inner_texts() == ["the pair", "decoder layer 1", "decoder layer 2"]
    assert len(passes) == 2

    with page.expect_download() as download:
        page.get_by_text("Download JSON").click()
    (record,) = json.loads(download.value.path().read_text())
    assert record["file_name"] == IMAGE["name"] and len(record["hoi_prediction"]) == 1
    assert files_in(os.environ["GRADIO_TEMP_DIR"]) == before


@pytest.mark.browser
def test_refused_files_are_told_and_the_demo_lives_on(open_page, passes):
    page = open_page
    upload(page, dict(name="x.jpg", mimeType="image/jpeg", buffer=b"this is text"))
    page.locator(".hoi-refusal", has_text="x.jpg is no image").wait_for()
    upload(page, dict(name="large.png", mimeType="image/png", buffer=encoded() + bytes(1_100_000)))
    page.get_by_text("maximum allowed size").first.wait_for()
    assert not passes
    page.locator("#examples button").nth(1).press("Enter")
    page.get_by_text("example_1.png").wait_for()
    assert len(passes) == 1 and page.locator(".hoi-refusal").count() == 0


# verbs of the table's rows (third column) that have a score (fifth)
SCORED = """[...document.querySelectorAll('.hoi-result tbody tr')]
    .filter(row => parseFloat(row.cells[4].innerText) > 0).map(row => row.cells[2].innerText.trim())"""


@pytest.mark.browser
def test_interactions_in_ones_own_words(browser, text_checkpoint, demo):
    checkpoint, clip = text_checkpoint
    session = DemoSession(HOIInferencer(checkpoint, device="cpu", show_progress=False, clip=clip))
    with demo_server(session, "hoiclip.pth: HOICLIP", port=0) as address, watched_page(browser) as page:
        page.set_default_timeout(20_000)
        page.goto(address)
        page.get_by_text("No image yet.").wait_for()
        upload(page, IMAGE)
        page.locator(".hoi-result").wait_for()
        # before asking: an answer is shown by the threshold that the slider had when it was asked for
        page.locator("#score input[type=range]").press("Home")
        page.wait_for_function(f"({SCORED}).join() == 'wave'")
        for text, verbs in (("a person riding a bicycle", ""), ("a person waving", "wave")):
            page.locator("#texts textarea").fill(text)
            page.locator("#ask").click()
            page.wait_for_function(f"document.querySelector('.hoi-result tbody') && ({SCORED}).join() == '{verbs}'")
        page.locator("#texts textarea").fill("waving")
        page.locator("#ask").click()
        page.locator(".hoi-refusal", has_text="must read like").wait_for()


@pytest.mark.browser
def test_only_models_that_score_texts_have_the_text_field(open_page):
    assert open_page.locator("#texts").count() == open_page.locator("#ask").count() == 0


@pytest.mark.browser
def test_phone_width(open_page):
    page = open_page

    def fits():
        return page.evaluate("document.documentElement.scrollWidth") <= 390

    page.set_viewport_size(dict(width=390, height=844))
    assert fits()
    upload(page, IMAGE)
    page.locator("#result", has_text=IMAGE["name"]).wait_for()
    page.get_by_text("Nothing to show").wait_for()
    page.locator("#score input[type=range]").press("Home")
    rows(page, NUM_QUERIES * NUM_VERBS)
    page.locator("#pair input").click()
    page.locator("#pair [role=option]").first.click()
    page.locator(".hoi-cells figure").first.wait_for()
    assert fits()
    tops = [page.locator(part).bounding_box()["y"] for part in ("#upload", "#result", "#examples", "#filters", "#look")]
    assert tops == sorted(tops)  # what one did, what came out, what can be changed


@pytest.mark.browser
def test_the_first_example_is_there_at_the_start(open_page):
    open_page.locator("#filters").wait_for()
    assert "example_0.png" in open_page.locator("#result").inner_text()


def test_filters_appear_with_an_image(session):
    page = DemoPage(session, "tiny", UploadStore("unused", 0))
    assert not session.examples and not page.filters.visible
    seen = session.see(encoded(), "a.png")
    assert page.change(seen, None, 0.0, 12, [], [])[-1].visible
    assert not page.change(None, None, 0.0, 12, [], [])[-1].visible


def test_models_without_queries_say_so(session):
    page = DemoPage(session, "tiny", UploadStore("unused", 0))
    seen = session.see(encoded(), "a.png")
    assert page.change(seen, None, 0.0, 12, [], [])[1].interactive
    del seen.prediction.sample.pred_pairs.queries
    _, choice, attention, _ = page.change(seen, None, 0.0, 12, [], [])
    assert "Not for this model" in choice.info and not choice.interactive and attention == ""


def test_an_attended_pair_that_a_filter_hides_is_forgotten(session):
    page, seen = DemoPage(session, "tiny", UploadStore("unused", 0)), session.see(encoded(), "a.png")
    pairs = [pair.index for pair in session.show(seen, TripletSelection(0.0)).pairs]
    for best in (12, 3):
        result, choice, attention, _ = page.change(seen, pairs[2], 0.0, best, [], [])
        assert choice.value == pairs[2] and "3 (" in attention
    result, choice, attention, _ = page.change(seen, pairs[2], 0.0, 2, [], [])
    assert choice.value is None and attention == "" and "of 2 pairs" in result
    assert "No image yet" in page.change(None, None, 0.0, 12, [], [])[0]


def test_nothing_is_published(demo, demo_checkpoint):
    api = httpx.get(f"{demo}/gradio_api/info").json()
    assert api["named_endpoints"] == {} and api["unnamed_endpoints"] == {}
    assert set(httpx.get(f"{demo}/gradio_api/openapi.json").json()["paths"]) == {"/gradio_api/upload"}
    for path in ("docs", "redoc", "openapi.json", "monitoring", "monitoring/summary"):
        assert httpx.get(f"{demo}/{path}").status_code in (403, 404), path
    assert httpx.get(f"{demo}/gradio_api/deep_link?session_hash=visitor").status_code == 404
    for file in ("/etc/hostname", demo_checkpoint, REPOSITORY / "README.md"):
        assert httpx.get(f"{demo}/gradio_api/file={file}").status_code in (403, 404), file


def test_too_large_uploads_are_cut_off(demo):
    folder = os.environ["GRADIO_TEMP_DIR"]
    before = files_in(folder)
    answer = httpx.post(f"{demo}/gradio_api/upload", files=dict(files=("a.png", bytes(1_100_000))))
    assert answer.status_code == 413 and "maximum allowed size" in answer.text
    assert files_in(folder) == before


def stored_path(demo, content=None):
    """Upload a file as the page's script does."""
    return httpx.post(f"{demo}/gradio_api/upload", files=dict(files=("a.png", content or encoded()))).json()[0]


def process(demo, path, visitor="visitor") -> dict:
    """Outcome of the request that the page's script sends for an uploaded file; a refused one has ``detail``."""
    functions = httpx.get(f"{demo}/config").json()["dependencies"]
    (take,) = (function["id"] for function in functions if function["targets"][0][1] == "upload")
    file = dict(path=str(path), meta=dict(_type="gradio.FileData"), orig_name="a.png")
    data = dict(EVENT, session_hash=visitor, fn_index=take, data=[file, 0.3, 12, [], []])
    joined = httpx.post(f"{demo}/gradio_api/queue/join", json=data)
    if not joined.is_success:
        return joined.json()
    with httpx.stream("GET", f"{demo}/gradio_api/queue/data?session_hash={visitor}", timeout=60) as events:
        messages = [json.loads(line[6:]) for line in events.iter_lines() if line.startswith("data:")]
    (done,) = (message for message in messages if message["msg"] == "process_completed")
    return done


def answer_to_forged(demo, path) -> str | None:
    """The error that a request gets whose file is no upload."""
    done = process(demo, path)
    assert done["success"] is False
    return done["output"]["error"]


def visit_at_once(demo, number):
    """Outcomes for visitors who drop the same picture under one name."""
    with ThreadPoolExecutor(number) as pool:
        paths = list(pool.map(lambda _: stored_path(demo), range(number)))
        assert len(set(paths)) == number
        return list(pool.map(lambda i: process(demo, paths[i], f"visitor{i}"), range(number)))


def test_visitors_with_the_same_picture_keep_what_is_theirs(demo):
    before = files_in(os.environ["GRADIO_TEMP_DIR"])
    for done in visit_at_once(demo, 10):
        assert done["success"], done
        assert "a.png" in json.dumps(done["output"]["data"])
    assert files_in(os.environ["GRADIO_TEMP_DIR"]) == before


def test_many_visitors_are_answered_or_told_that_the_queue_is_full(demo):
    outcomes = visit_at_once(demo, 50)
    answered = [done for done in outcomes if done.get("success")]
    refused = [done["detail"] for done in outcomes if not done.get("success")]
    assert len(answered) >= QUEUE and all("Queue is full" in detail for detail in refused)


def test_an_upload_is_read_once(demo):
    path = stored_path(demo)
    assert process(demo, path)["success"]
    assert answer_to_forged(demo, path) == "The upload is no longer there. Drop the image again."


def test_stored_uploads_have_a_limit(session):
    with demo_server(session, "tiny", port=0) as address:
        full = b"0" * session.limits.bytes
        send = lambda: httpx.post(f"{address}gradio_api/upload", files=dict(files=("a.png", full)))  # noqa: E731
        for _ in range(STORED - 1):
            assert send().is_success
        refused = send()
        assert refused.status_code == 503 and "Too many images wait: 32 MB" in refused.text
        assert httpx.post(f"{address}gradio_api/upload", content=iter([b"x"])).status_code == 411


@pytest.mark.parametrize(
    "path, reason",
    (("https://example.com/a.png", "Addresses are not read."), ("/etc/hostname", None)),
)
def test_forged_requests_read_nothing(demo, path, reason):
    assert answer_to_forged(demo, path) == reason


def test_forged_requests_remove_no_example(demo):
    (gallery,) = (part for part in httpx.get(f"{demo}/config").json()["components"] if part["type"] == "gallery")
    thumbnail = Path(gallery["props"]["value"][0]["image"]["path"])
    around = thumbnail.parent / ".." / thumbnail.parent.name / thumbnail.name
    for path in (thumbnail, around):
        assert "no upload" in answer_to_forged(demo, path)
        assert thumbnail.is_file()


def test_no_request_leaves_and_no_file_stays(session, contacted):
    environment = dict(os.environ)
    with demo_server(session, "tiny", port=0) as address:
        folder = os.environ["GRADIO_TEMP_DIR"]
        file = httpx.post(f"{address}gradio_api/upload", files=dict(files=("a.png", encoded()))).json()[0]
        assert Path(file).is_relative_to(folder) and Path(file).is_file()
    assert not Path(folder).exists() and dict(os.environ) == environment
    assert contacted and set(contacted) <= {"127.0.0.1"}
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_port_in_use(session):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        message = f"Port {port} of 127.0.0.1 is in use.*--port {port + 1}"
        with pytest.raises(UsageError, match=message), demo_server(session, "tiny", port=port):
            pass


@pytest.mark.parametrize(
    "headers",
    (
        {"Host": "attacker.example"},
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
        {"Host": "attacker.example", "Origin": "http://attacker.example"},
    ),
    ids=("rebound name", "other origin", "no origin", "rebound page"),
)
def test_other_hosts_and_origins_are_refused(demo, headers):
    file = dict(files=("a.png", encoded()))
    before = files_in(os.environ["GRADIO_TEMP_DIR"])
    assert httpx.get(f"{demo}/config", headers=headers).status_code == 403
    assert httpx.post(f"{demo}/gradio_api/upload", headers=headers, files=file).status_code == 403
    assert httpx.get(f"{demo}/", headers=headers).status_code == 403
    assert files_in(os.environ["GRADIO_TEMP_DIR"]) == before


def test_nobody_else_says_what_the_page_is_called(demo):
    forged = {"X-Forwarded-Host": "attacker.example", "X-Gradio-Server": "http://attacker.example", "Origin": demo}
    answer = httpx.get(f"{demo}/config", headers=forged)
    assert answer.is_success and "attacker" not in answer.text and answer.json()["root"] == demo


def test_ipv6(session):
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 here")
    with demo_server(session, "tiny", host="::1", port=0) as address:
        assert address.startswith("http://[::1]:")
        assert process(address.rstrip("/"), stored_path(address.rstrip("/")))["success"]


def test_log_files_of_the_process_stay_open(session, tmp_path):
    handler = logging.FileHandler(tmp_path / "runner.log")
    before = dict(uvicorn.config.LOGGING_CONFIG)
    with demo_server(session, "tiny.pth", port=0):
        assert handler.stream is not None
    assert before == uvicorn.config.LOGGING_CONFIG
    handler.close()
