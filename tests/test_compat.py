"""Stacks are told apart, ops that are missing say so."""

import importlib.metadata
import re
import sys

import mmengine
import pytest

import hqm_mmdet
from hqm_mmdet import compat
from tests.conftest import REPOSITORY

GOOD = {"mmdet": "3.3.0", "mmengine": "0.10.7", "mmcv-lite": "2.1.0"}
ONEDL = {"onedl-mmdetection": "3.5.1", "onedl-mmengine": "0.10.12", "onedl-mmcv": "2.3.6"}


@pytest.fixture
def installed(monkeypatch):
    """Pretend that exactly these distributions are installed."""

    def pretend(versions):
        monkeypatch.setattr(compat, "installed_version", versions.get)

    return pretend


def test_this_environment_holds_one_stack():
    stacks = compat.installed_stacks()
    assert list(stacks) == [hqm_mmdet.STACK]
    assert stacks[hqm_mmdet.STACK]["mmengine"] == mmengine.__version__
    assert compat.installed_version("no-such-distribution") is None
    assert compat.installed_version("torch") == importlib.metadata.version("torch")


@pytest.mark.parametrize(
    ("versions", "stack"),
    [
        (GOOD, "default"),
        (ONEDL, "onedl"),
        (GOOD | {"mmcv-lite": None, "mmcv": "2.1.0+cu121"}, "default"),
        (GOOD | {"mmdet": "3.2.0", "mmengine": "0.9.1", "mmcv-lite": "2.0.1"}, "default"),
    ],
)
def test_complete_stacks_are_recognised(installed, versions, stack):
    installed(versions)
    assert compat.check_stack() == stack


@pytest.mark.parametrize(
    ("versions", "problem"),
    [
        ({}, "no OpenMMLab stack is installed"),
        (GOOD | ONEDL, "two OpenMMLab stacks are"),
        (GOOD | {"onedl-mmcv": "2.3.6"}, "two OpenMMLab stacks are"),
        ({"mmdet": "3.3.0", "mmengine": "0.10.7"}, "mmcv of the default stack not installed"),
        ({"onedl-mmcv": "2.3.6"}, "mmdet, mmengine of the onedl stack not installed"),
        (GOOD | {"mmdet": "2.28.0"}, "needs mmdet 3.2 or newer, below 3.4, found 2.28.0 of the default stack"),
        (GOOD | {"mmdet": "3.1.0"}, "needs mmdet 3.2"),
        (GOOD | {"mmdet": "3.10.0"}, "below 3.4, found 3.10.0"),
        (GOOD | {"mmengine": "1.0.0rc1"}, "needs mmengine 0.9"),
        (GOOD | {"mmcv-lite": "2.2.0"}, "needs mmcv 2.0 or newer, below 2.2, found 2.2.0"),
        (GOOD | {"mmcv-lite": None, "mmcv": "1.7.2"}, "needs mmcv 2.0"),
        (ONEDL | {"onedl-mmdetection": "3.4.5"}, "needs mmdet 3.5"),
    ],
)
def test_unusable_stacks_are_named_with_the_remedy(installed, versions, problem):
    installed(versions)
    with pytest.raises(ImportError) as caught:
        compat.check_stack()
    assert problem in str(caught.value)
    assert "pip install" in str(caught.value) and "onedl-mmcv" in str(caught.value)


@pytest.mark.parametrize("file", ["constraints.txt", "constraints-onedl.txt"])
def test_tested_versions_are_accepted(installed, file):
    lines = (REPOSITORY / "requirements" / file).read_text().splitlines()
    installed(dict(line.split("==") for line in lines if re.match(r"(onedl-)?mm(cv|det|engine)", line)))
    assert compat.check_stack() == ("onedl" if "onedl" in file else "default")


@pytest.fixture
def without_ops(monkeypatch):
    """As if mmcv had no compiled ops and the package were imported now."""
    monkeypatch.delitem(sys.modules, "mmcv._ext", raising=False)
    monkeypatch.setattr(compat.importlib.util, "find_spec", lambda name: None)
    assert compat.provide_missing_ops()
    return sys.modules["mmcv._ext"]


def test_missing_op_raises_when_called_not_before(without_ops):
    op = without_ops.softnms
    with pytest.raises(NotImplementedError, match=r"`softnms` of mmcv was called.*install `mmcv` with ops"):
        op(1, iou=0.5)
    with pytest.raises(AttributeError):
        without_ops.__no_such_dunder__  # noqa: B018
    assert compat.provide_missing_ops()


def test_mmengine_can_still_ask_whether_ops_are_there():
    from mmengine.utils.dl_utils import mmcv_full_available

    missing = isinstance(sys.modules.get("mmcv._ext"), compat._MissingOps)
    assert mmcv_full_available() in ({False} if missing and hqm_mmdet.STACK == "default" else {False, True})


def test_mmdet_imports_without_compiled_ops():
    import mmdet.models

    assert mmdet.models.DETR is not None
