"""Tools that show what mining does."""

import importlib
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from tests.tools.conftest import ROOT

TOOLS = ROOT / "tools" / "analysis_tools"


@pytest.fixture
def run(monkeypatch, capsys):
    """Function that runs a tool here, in a folder; returns exit status, output and errors."""
    monkeypatch.syspath_prepend(str(TOOLS))

    def call(tool, *arguments, cwd):
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", [tool, *map(str, arguments)])
        status = importlib.import_module(tool).main()
        out, err = capsys.readouterr()
        return SimpleNamespace(returncode=status, stdout=out, stderr=err)

    return call


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy") / "data" / "toy_hoi"
    make_toy_hoi(folder, ToySettings(num_train=6, num_test=1), progress=False)
    return folder


def test_mining_view_draws_shift_and_attention_of_every_pair(run, toy, tmp_path):
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


def test_mining_view_of_the_released_choices_follows_the_matched_query(monkeypatch):
    """All queries are copied there, so a pair's row is that of its query."""
    monkeypatch.syspath_prepend(str(TOOLS))
    view_mining = importlib.import_module("view_mining")
    drawn = []
    monkeypatch.setattr(view_mining, "draw_attention", lambda image, weights, *rest: drawn.append(weights) or image)
    rows = torch.arange(12.0).view(1, 3, 4)  # one image, three queries, four positions
    watched = SimpleNamespace(weights=[rows], dropped=[rows])
    learnable = SimpleNamespace(
        memory=SimpleNamespace(spatial_shape=(2, 2)),
        queries=SimpleNamespace(recorder=watched),
        matched_query=lambda: torch.tensor([[2, 0]]),
    )
    image = np.zeros((40, 40, 3), np.uint8)
    for source, masked in ((None, 2), (torch.tensor([[2, 0]]), 0)):
        drawn.clear()
        view_mining.attention_picture(image, learnable, SimpleNamespace(rule=watched, source=source), pair=0)
        assert [weights.ravel().tolist() for weights in drawn] == [rows[0, row].tolist() for row in (2, masked)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    (
        (["configs/nothing.py"], "Config configs/nothing.py does not exist"),
        (["configs/qpic_hqm_toy.py", "--checkpoint", "nothing.pth"], "Checkpoint nothing.pth does not exist"),
        (["configs/qpic_hqm_toy.py", "--index", "6"], "numbers from 0 to 5"),
    ),
)
def test_mining_view_tells_what_is_wrong(run, toy, arguments, message):
    done = run("view_mining", *arguments, cwd=toy.parents[1])
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr


def test_shift_statistics_of_an_annotation_file(run, toy, tmp_path):
    file = toy / "annotations" / "trainval_toy.json"
    done = run("shift_statistics", "--ann-file", file, "--pairs", 20, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("|")]  # stacks print greetings
    header, _, ours, released = ([c.strip() for c in line.split("|")[1:-1]] for line in lines)
    ours, released = (dict(zip(header, row, strict=True)) for row in (ours, released))
    assert ours["in range"] == "100.0 %" and ours["unshifted"] == "0.0 %"
    assert 0.4 <= float(ours["IoU p5"]) < float(ours["IoU p95"]) <= 0.6
    assert released["way"] == "released, 20 pairs per batch"


@pytest.mark.parametrize(
    ("content", "message"), ((None, "does not exist"), ("{}", "expected a list"), ("[]", "has no pair"))
)
def test_shift_statistics_tells_what_is_wrong(run, tmp_path, content, message):
    file = tmp_path / "annotations.json"
    if content is not None:
        file.write_text(content)
    done = run("shift_statistics", "--ann-file", file, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr
