"""hqm-mmdet doctor: every broken environment gets the command that mends it."""

import re
import sys
import types

import pytest

from hqm_mmdet import compat
from hqm_mmdet_cli import doctor
from tests.cli.running import run
from tests.conftest import REPOSITORY

GOOD = {name: "1.0" for name in (*doctor.REQUIRED, *doctor.OPTIONAL)}
GOOD |= {"mmdet": "3.3.0", "mmengine": "0.10.7", "mmcv-lite": "2.1.0", "setuptools": "81.0.0"}
ONEDL = {"onedl-mmdetection": "3.5.1", "onedl-mmengine": "0.10.12", "onedl-mmcv": "2.3.6"}
WITHOUT_STACK = {name: number for name, number in GOOD.items() if not name.startswith("mm")}


def fake_torch(version="2.13.0", cuda=None, gpus=()):
    device = types.SimpleNamespace(
        is_available=lambda: bool(gpus), device_count=lambda: len(gpus), get_device_name=lambda i: gpus[i]
    )
    return types.SimpleNamespace(__version__=version, version=types.SimpleNamespace(cuda=cuda), cuda=device)


@pytest.fixture
def environment(monkeypatch):
    """Function that pretends: distributions, torch, whether the package can be imported."""

    def pretend(versions=GOOD, torch=None, driver=False):
        monkeypatch.setattr(doctor, "version", dict(versions).get)
        monkeypatch.setitem(sys.modules, "torch", torch or fake_torch())
        monkeypatch.setattr(doctor.shutil, "which", lambda name: "/bin/nvidia-smi" if driver else None)
        monkeypatch.setattr(doctor, "check_import", lambda: doctor.Finding("hqm_mmdet", "1.0 in x"))

    return pretend


def test_required_is_what_the_package_asks_for():
    lines = (REPOSITORY / "requirements" / "base.txt").read_text().splitlines()
    names = {re.match(r"[\w-]+", line)[0] for line in lines if not line.startswith("#")}
    assert names == {*doctor.REQUIRED, "torch"}


def test_series_are_those_that_the_package_accepts():
    assert doctor.SERIES == compat.SERIES


@pytest.mark.parametrize("versions", (GOOD, WITHOUT_STACK | ONEDL | {"setuptools": "90"}), ids=("default", "onedl"))
def test_sound_environment(environment, capsys, versions):
    environment(versions)
    assert run("doctor") == 0
    printed = capsys.readouterr().out
    assert "All that is needed is there." in printed and "To mend" not in printed and "hqm_mmdet" in printed


@pytest.mark.parametrize(
    ("versions", "cure"),
    [
        (WITHOUT_STACK, "pip install mmdet==3.3.0 mmengine==0.10.7 mmcv-lite==2.1.0"),
        (GOOD | ONEDL, "pip uninstall onedl-mmdetection onedl-mmengine onedl-mmcv && pip install"),
        (GOOD | {"mmengine": None}, "pip install mmengine==0.10.7"),
        (GOOD | {"mmcv-lite": None, "mmcv": "2.2.0"}, "pip install mmcv-lite==2.1.0"),
        (GOOD | {"mmdet": "2.28.0"}, "pip install mmdet==3.3.0"),
        (WITHOUT_STACK | ONEDL | {"onedl-mmengine": "0.8.0"}, "pip install onedl-mmengine"),
        (GOOD | {"setuptools": "82.0.1"}, "pip install 'setuptools<82'"),
        (GOOD | {"scipy": None}, "pip install scipy"),
    ],
)
def test_problem_gets_its_cure(environment, capsys, versions, cure):
    environment(versions)
    assert run("doctor") == 1
    printed = capsys.readouterr().out
    assert cure in printed and re.search(r"^x ", printed, re.MULTILINE) and "problems." in printed


def test_old_or_broken_torch(environment, capsys, monkeypatch):
    environment(torch=fake_torch("1.13.1"))
    assert run("doctor") == 1 and "'torch>=2.1'" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run("doctor") == 1 and "can't be imported" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("torch", "driver", "text"),
    [
        (fake_torch(cuda="12.8", gpus=("H200", "A100")), True, "H200, A100"),
        (fake_torch(), True, "there is a driver, but torch is a CPU build"),
        (fake_torch(cuda="12.8"), True, "torch can't use it"),
        (fake_torch(cuda="12.8"), False, "the CPU works for everything"),
    ],
)
def test_gpus(environment, capsys, torch, driver, text):
    environment(torch=torch, driver=driver)
    assert run("doctor") == 0
    assert text in capsys.readouterr().out


def test_optional_packages_are_a_suggestion(environment, capsys):
    environment(GOOD | {"onnxruntime": None})
    assert run("doctor") == 0
    assert "If you want onnxruntime:\n  pip install onnxruntime" in capsys.readouterr().out


def test_python_out_of_range(monkeypatch):
    monkeypatch.setattr(doctor.sys, "version_info", (3, 14, 0))
    finding = doctor.check_python()
    assert finding.problem and "venv" in finding.cure


def test_import_is_tried(monkeypatch, tmp_path):
    (tmp_path / "hqm_mmdet").mkdir()
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    (tmp_path / "hqm_mmdet" / "__init__.py").write_text("__version__ = '7'\n")
    finding = doctor.check_import()
    assert not finding.problem and finding.value == f"7 in {tmp_path / 'hqm_mmdet'}"
    (tmp_path / "hqm_mmdet" / "__init__.py").write_text("raise RuntimeError('out of order')\n")
    finding = doctor.check_import()
    assert finding.problem and "out of order" in finding.value
