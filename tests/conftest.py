"""Fixtures for all tests: where the reference material lies."""

import json
import os
from pathlib import Path

import pytest

import hqm_mmdet  # noqa: F401  makes mmdet importable without compiled ops, for tests that import mmdet first

REPOSITORY = Path(__file__).parents[1]


def _folder(variable: str, default: str) -> Path:
    folder = Path(os.environ.get(variable) or REPOSITORY / default)
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}; set {variable} to the folder with the material")
    return folder.resolve()


@pytest.fixture(scope="session")
def reference_dir() -> Path:
    """Numbers of the official repositories."""
    return _folder("HQM_REFERENCE", "../shared/reference")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Real annotations."""
    return _folder("HQM_DATA", "../shared/data")


@pytest.fixture(scope="session")
def cases_dir() -> Path:
    """Small inputs that failed once."""
    return _folder("HQM_CASES", "../shared/cases")


@pytest.fixture(scope="session")
def robust_dir(cases_dir) -> Path:
    """Those of the hostile campaign."""
    return cases_dir / "robust"


@pytest.fixture(scope="session")
def reference_meta(reference_dir: Path) -> dict:
    """``salt`` and ``seed`` that the reference weights were made with."""
    file = reference_dir / "reference.json"
    if not file.is_file():
        pytest.skip(f"no file {file}")
    return json.loads(file.read_text())
