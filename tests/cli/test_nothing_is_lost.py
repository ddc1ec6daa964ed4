"""What a command has computed outlives a name that can't be printed and a file that can't be written."""

import json
import os
import subprocess
import sys

import pytest

from hqm_mmdet_cli.checks import require_writable
from tests.cli.running import run
from tests.conftest import REPOSITORY
from tests.datasets.tiny_hoi import METAINFO, entry, write_image

SURROGATE = "caf\udce9.png"  # a file name in Latin-1, as Python holds it


@pytest.fixture
def own_data(tmp_path):
    """A data set whose one image has a name that no terminal shows."""
    (tmp_path / "names.json").write_text(json.dumps({key: METAINFO[key] for key in ("classes", "verbs")}))
    (tmp_path / "train.json").write_text(json.dumps([entry(SURROGATE), entry("b.png")]))
    for name in (SURROGATE, "b.png"):
        write_image(tmp_path / "images" / name)
    files = ("--ann-file", "train.json", "--images", "images", "--names", "names.json")
    return tmp_path, ("--dataset", "HOIDataset", *files, "--quiet")


def start(folder, *arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "hqm_mmdet_cli", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=300, **options)


def test_lone_surrogates_are_printed_as_codes(own_data, monkeypatch):
    folder, files = own_data
    (folder / "images" / SURROGATE).unlink()
    done = start(folder, "check-data", *files, "--json", "out.json")
    assert done.returncode == 1, done.stderr.decode()
    assert b"caf\\udce9.png" in done.stdout and b"Traceback" not in done.stderr
    (report,) = json.loads((folder / "out.json").read_text()).values()
    assert any(SURROGATE in problem["place"] for problem in report["problems"])
    monkeypatch.chdir(folder)
    assert run("browse", *files, "--out", "page") == 0
    assert b"caf\\udce9.png" in (folder / "page" / "index.html").read_bytes()


def test_what_can_not_be_written_is_told_before_the_work(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "folder", tmp_path / "file" / "out.json", "a\0b"):
        for command in (
            ("eval", "none.json", "--ann-file", "none.json", "--json", target),
            ("check-data", "configs/qpic_toy.py", "--json", target),
            ("suppress", "none.json", "--images", ".", "--checkpoint", "none.pth", "--out", target),
            ("search-thresholds", "n", "--ann-file", "n", "--images", ".", "--checkpoint", "n", "--out", target),
            ("export", "--checkpoint", "none.pth", "--out", target),
            ("convert", "none.pth", target),
            ("predict", ".", "--checkpoint", "none.pth", "--csv", target),
            ("detect", "none.py", "none.pth", "--images", ".", "--out", target),
        ):
            assert run(*command) == 2
            assert "Invalid value" in capsys.readouterr().err
    (tmp_path / "x.pth").touch()
    for command in (
        ("train", "qpic_toy", "--work-dir", tmp_path / "file" / "work"),
        ("test", "qpic_toy", tmp_path / "x.pth", "--work-dir", tmp_path / "file" / "work"),
        ("test", "qpic_toy", tmp_path / "x.pth", "--out", tmp_path / "file" / "x.pkl"),
        ("predict", ".", "--checkpoint", tmp_path / "x.pth", "--out", tmp_path / "file" / "out"),
        ("browse", "qpic_toy", "--out", tmp_path / "file" / "page"),
        ("make-toy", tmp_path / "file" / "toy"),
        ("quickstart", "--work-dir", tmp_path / "file" / "work"),
    ):
        assert run(*command) == 2
        assert "a file, where a folder is needed" in capsys.readouterr().err, command
    (tmp_path / "x.pth").unlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    require_writable(tmp_path / "new" / "deep" / "out.json")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("option", ("--score-thr", "--merge-iou", "--smoothing"))
def test_nan_is_no_threshold(option, capsys):
    assert run("predict", "a.jpg", "--checkpoint", "none.pth", option, "nan") == 2
    assert "'nan' is no number" in capsys.readouterr().err
