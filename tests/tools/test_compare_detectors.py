"""The table that compares detectors."""

import importlib.util
import re
import sys

import pytest
import torch
from mmengine.config import Config

from hqm_mmdet.apis import build_model
from hqm_mmdet.models.layers import FusedAttention
from tests.tools.conftest import ROOT

FILE = ROOT / "tools" / "analysis_tools" / "compare_detectors.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("compare_detectors", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(tool, monkeypatch, capsys):
    """Function that runs the command, and returns its status and what it printed."""

    def command(*arguments):
        options = ("--size", "64x48", "--repeats", "1", "--batch", "1", "--pairs", "2")
        monkeypatch.setattr(sys, "argv", ["compare_detectors", *map(str, arguments), *options])
        return tool.main(), capsys.readouterr()

    return command


def cells(text):
    """Rows of a Markdown table by their first cell."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return {line[0].strip("`"): dict(zip(lines[0], line, strict=True)) for line in lines[2:]}


def test_table(run, tool, monkeypatch, tmp_path):
    mined = tmp_path / "conditional_hqm_toy.py"  # given by path
    mined.write_text(f'_base_ = ["{ROOT}/configs/conditional_hqm_toy.py"]\n')
    monkeypatch.setattr(tool, "published", lambda: {"conditional_toy": 1.5, "conditional_hqm_toy": 2.5})
    out = tmp_path / "table.md"
    status, printed = run("qpic_toy", "conditional_toy", mined, "--out", out)
    assert status == 0, printed.err
    assert out.read_text() == printed.out
    table = cells(printed.out)
    assert list(table) == ["qpic_toy", "conditional_toy", "conditional_hqm_toy"]
    for name, row in table.items():
        plain = build_model(ROOT / "configs" / f"{name.replace('_hqm', '')}.py")
        assert float(row["Parameters (M)"]) == pytest.approx(sum(p.numel() for p in plain.parameters()) / 1e6, abs=5e-3)
        assert all(float(row[column]) > 0 for column in ("Training step", "Inference"))
    assert 0 < int(table["qpic_toy"]["Operations"]) < int(table["conditional_hqm_toy"]["Operations"])
    assert table["qpic_toy"]["Training step"] == table["qpic_toy"]["Inference"] == "1.00"
    assert table["conditional_toy"]["FLOPs (G)"] == table["conditional_hqm_toy"]["FLOPs (G)"]  # HQM is not deployed
    published = [(row["mAP (published)"], row["mAP with HQM (published)"]) for row in table.values()]
    assert published == [("-", "-"), ("1.5", "2.5"), ("-", "2.5")]
    assert "64x48 (height x width); times relative to `qpic_toy`, 1 CPU thread, batch 1, 2 pairs" in printed.out


def test_missing_configs_are_named_before_anything_is_measured(run):
    status, printed = run("qpic_toy", "qpik_toy", "nowhere/other.py")
    assert status == 2 and not printed.out
    assert "No config qpik_toy, nowhere/other.py" in printed.err and "Traceback" not in printed.err


def test_wrong_size_is_told(tool, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["compare_detectors", "--size", "320"])
    with pytest.raises(SystemExit):
        tool.main()
    assert re.search("--size.*invalid.*'320'", capsys.readouterr().err)


def test_flops_of_fused_attention_are_counted(tool):
    n, d = 10, 32
    attention = FusedAttention(d, num_heads=4)
    assert tool.count_flops(attention, torch.randn(1, n, d)) == 4 * n * d * d + 2 * n * n * d


def test_published_results_are_the_index_own(tool):
    results = tool.published()
    assert results["qpic_hico"] == 29.07 and results["qpic_hqm_hico"] == 31.34
    for name in results:
        (path,) = (ROOT / "configs").rglob(f"{name}.py")
        assert Config.fromfile(path)
