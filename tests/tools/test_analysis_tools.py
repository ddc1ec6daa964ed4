"""Tools that show what mining does."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from tests.tools.conftest import ROOT

TOOLS = ROOT / "tools" / "analysis_tools"


def run(tool, *arguments, cwd):
    command = [sys.executable, TOOLS / f"{tool}.py", *arguments]
    return subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy") / "data" / "toy_hoi"
    make_toy_hoi(folder, ToySettings(num_train=6, num_test=1), progress=False)
    return folder


def test_mining_view_draws_shift_and_attention_of_every_pair(toy, tmp_path):
    entries = json.loads((toy / "annotations" / "trainval_toy.json").read_text())
    pairs = [len({(h["subject_id"], h["object_id"]) for h in entry["hoi_annotation"]}) for entry in entries]
    index = int(np.argmax(pairs))
    config = ROOT / "configs" / "qpic_hqm_toy.py"
    done = run("view_mining", config, "--index", index, "--out", tmp_path / "out", cwd=toy.parents[1])
    assert done.returncode == 0, done.stderr
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == [*(f"attention_pair{k}.png" for k in range(pairs[index])), "shift.png"]
    with Image.open(tmp_path / "out" / "attention_pair0.png") as picture, Image.open(tmp_path / "out/shift.png") as one:
        assert picture.width >= 3 * one.width and picture.height >= 2 * one.height  # layers, masks
        assert (np.asarray(picture)[..., 1] == 255).any()  # green dots


def test_shift_statistics_of_an_annotation_file(toy, tmp_path):
    file = toy / "annotations" / "trainval_toy.json"
    done = run("shift_statistics", "--ann-file", file, "--pairs", 20, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    header, _, ours, released = ([c.strip() for c in line.split("|")[1:-1]] for line in done.stdout.splitlines())
    ours, released = (dict(zip(header, row, strict=True)) for row in (ours, released))
    assert ours["in range"] == "100.0 %" and ours["unshifted"] == "0.0 %"
    assert 0.4 <= float(ours["IoU p5"]) < float(ours["IoU p95"]) <= 0.6
    assert released["way"] == "released, 20 pairs per batch"
