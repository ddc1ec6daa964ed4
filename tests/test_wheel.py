"""The wheel: what lies in it, and what a process outside of the repository does with it."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

SCRIPT = """
import json
import hqm_mmdet
from mmengine.config import Config
from mmengine.hub import get_config, get_model
from mmengine.infer.infer import BaseInferencer

mine = Config.fromfile("mine.py")
print(json.dumps(dict(
    package=hqm_mmdet.__path__[0],
    inherited=[mine.train_dataloader.batch_size, mine.model.type, mine.custom_hooks[0].type],
    got=get_config("hqm_mmdet::qpic_hqm_toy.py").filename,
    model=type(get_model("hqm_mmdet::ablations/qpic_gbs_toy.py")).__name__,
    listed=BaseInferencer.list_models("hqm_mmdet", "qpic_hico$|qpic_hqm_toy$"),
)))
try:
    get_config("hqm_mmdet::qpic_hqm_hicoo.py")
except FileNotFoundError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    options = ["-q", "--no-deps", "--no-build-isolation", "-w", folder]
    command = [sys.executable, "-m", "pip", "wheel", *options, source(folder)]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def source(folder):
    """A copy of the sources: building writes beside them."""
    copy = folder / "source"
    ignored = shutil.ignore_patterns(".git", ".venv*", "build", "data", "work_dirs", "tests", "__pycache__")
    shutil.copytree(REPOSITORY, copy, ignore=ignored)
    return copy


def test_wheel_holds_what_mim_and_the_package_need(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = [
        "model-index.yml",
        "tools/train.py",
        "benchmarks/launches.py",
        "benchmarks/page.py",
        "benchmarks/step_timing.py",
        "configs/qpic_hico.py",
        "configs/metafiles/qpic.yml",
        "configs/_base_/default_runtime.py",
    ]
    assert {f"hqm_mmdet/.mim/{name}" for name in expected} <= names
    assert {"hqm_mmdet/structures/metainfo/hico_det.json", "hqm_mmdet/structures/metainfo/toy_hoi.json"} <= names
    packages = {
        path.relative_to(REPOSITORY).as_posix()
        for path in REPOSITORY.glob("hqm_mmdet*/**/*.py")
        if ".mim" not in path.parts
    }
    assert packages <= names and "hqm_mmdet_cli/doctor.py" in names
    assert any(name.endswith("entry_points.txt") for name in names)


def test_configs_have_addresses_outside_of_the_repository(wheel, tmp_path):
    """mmengine's ``_base_``, ``get_config``, ``get_model`` and ``list_models``."""
    site, outside = tmp_path / "site", tmp_path / "outside"
    zipfile.ZipFile(wheel).extractall(site)
    outside.mkdir()
    (outside / "mine.py").write_text('_base_ = "hqm_mmdet::qpic_hqm_hico.py"\ntrain_dataloader = dict(batch_size=4)\n')
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        cwd=outside,
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    *_, found, error = done.stdout.strip().splitlines()
    found = json.loads(found)
    assert Path(found["package"]) == site / "hqm_mmdet"
    assert found["inherited"] == [4, "QPIC", "AJLHook"] and found["model"] == "QPIC"
    assert found["got"] == str(site / "hqm_mmdet" / ".mim" / "configs" / "qpic_hqm_toy.py")
    assert found["listed"] == ["qpic_hico", "qpic_hqm_toy"]
    assert "Did you mean 'qpic_hqm_hico'?" in error
