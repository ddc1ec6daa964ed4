"""A report that all tests of its page share."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from hqm_mmdet.pages.pictures import ImageFolder
from hqm_mmdet.pages.render import write_page
from hqm_mmdet.pages.report import build_report
from tests.browser import open_browser
from tests.pages.cases import make_comparison


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def report_file(tmp_path_factory) -> Path:
    """A report with a comparison; one of its images exists."""
    folder = tmp_path_factory.mktemp("report")
    Image.new("RGB", (240, 230), (40, 90, 60)).save(folder / "image_3.png")
    comparison = make_comparison()
    comparison = replace(comparison, worse=comparison.better)
    return write_page(folder / "out", build_report(comparison, ImageFolder(folder)))
