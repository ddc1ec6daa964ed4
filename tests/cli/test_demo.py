"""``hqm-mmdet demo``: what it says, and how it ends."""

import importlib.util
import os
import signal
import socket
import threading
import urllib.request

import pytest
from click.testing import CliRunner

from hqm_mmdet.cli.demo import wait_for_the_end
from hqm_mmdet_cli.demo import demo
from tests.apis.conftest import tiny_checkpoint

WITHOUT_GRADIO = importlib.util.find_spec("gradio") is None
needs_gradio = pytest.mark.skipif(WITHOUT_GRADIO, reason='the demo needs gradio: pip install -e ".[demo]"')


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory)


@pytest.fixture
def refusal(checkpoint):
    def call(*arguments):
        result = CliRunner().invoke(demo, [str(word) for word in ("--checkpoint", checkpoint, *arguments)])
        assert result.exit_code == 2, result.output
        return " ".join(result.output.split())

    return call


def test_missing_gradio_names_the_remedy(refusal, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "needs gradio, which is not installed: pip install -e '.[demo]'" in refusal()


@needs_gradio
def test_what_can_not_be_done_gives_status_2(refusal, tmp_path):
    (tmp_path / "notes.jpg").write_text("no image")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "is in use" in refusal("--port", taken.getsockname()[1])
    assert "can't listen on --host 203.0.113.1" in refusal("--host", "203.0.113.1", "--port", 0)
    assert "none.pth" in refusal("--port", 0, "--device", "cpu", "--checkpoint", tmp_path / "none.pth")
    assert "--device abacus can't be used" in refusal("--port", 0, "--device", "abacus")
    assert "notes.jpg is no image" in refusal("--port", 0, "--device", "cpu", "--examples", tmp_path)
    assert "--max-megapixels" in refusal("--max-megapixels", 500)


def waiting(monkeypatch, happens):
    """Lets something happen while the command waits for its end."""

    class Event(threading.Event):
        def wait(self, timeout):
            happens()
            return super().wait(timeout)

    monkeypatch.setattr("hqm_mmdet.cli.demo.Event", Event)


def test_it_ends_when_the_process_is_asked_to(monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    waiting(monkeypatch, lambda: os.kill(os.getpid(), signal.SIGTERM))
    wait_for_the_end()
    assert signal.getsignal(signal.SIGTERM) == before


@needs_gradio
def test_it_says_where_it_runs_and_ends_cleanly_with_ctrl_c(checkpoint, tmp_path, monkeypatch):
    from hqm_mmdet.demo.serving import free_port

    address = f"localhost:{(port := free_port('0.0.0.0', 0))}/"
    pages = []

    def visit_and_interrupt():
        pages.append(urllib.request.urlopen(f"http://{address}", timeout=30).read().decode())
        assert list(tmp_path.glob("hqm_mmdet_demo_*"))
        raise KeyboardInterrupt

    waiting(monkeypatch, visit_and_interrupt)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    words = ("--checkpoint", checkpoint, "--device", "cpu", "--host", "0.0.0.0", "--port", str(port))
    result = CliRunner().invoke(demo, words, catch_exceptions=False)
    assert result.exit_code == 0 and "Human-object interactions" in pages[0]
    for said in (
        f"runs on http://{address}",
        "everybody who can reach 0.0.0.0 can use the page",
        "The demo has ended.",
    ):
        assert said in result.output
    assert not list(tmp_path.glob("hqm_mmdet_demo_*"))
