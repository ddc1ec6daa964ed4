"""A headless Chromium for tests of pages."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find_browser() -> str | None:
    """Path of an installed Chromium: the one that HQM_BROWSER names, or one in PATH."""
    return os.environ.get("HQM_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def open_browser() -> Iterator:
    """Playwright's browser; the test is skipped where none is installed, or fails if HQM_NEEDS_BROWSER is set."""
    path = find_browser()
    if path is None:
        message = "no Chromium found: apt-get install chromium, or name one with HQM_BROWSER"
        pytest.fail(message) if os.environ.get("HQM_NEEDS_BROWSER") else pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def watched_page(browser, width: int = 1280, height: int = 900) -> Iterator:
    """A page of which every console error, uncaught exception and request to another machine fails the test."""
    page = browser.new_context(viewport=dict(width=width, height=height)).new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: problems.append(request.url) if _leaves(request.url) else None)
    yield page
    page.context.close()
    assert not problems, problems


def wait_until(page, expression: str, arg=None, seconds: float = 10) -> None:
    """Until JavaScript says yes. (``wait_for_function`` evals in the page, which its policy forbids.)"""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression, arg):
        assert time.monotonic() < deadline, f"in vain: {expression}"
        page.wait_for_timeout(50)


def _leaves(url: str) -> bool:
    return not url.startswith(("file:", "data:", "blob:", "about:", "http://127.0.0.1", "http://localhost"))
