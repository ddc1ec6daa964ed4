"""hqm-mmdet quickstart, with a model that was not trained."""

from argparse import Namespace

import pytest

from hqm_mmdet.apis import build_model
from hqm_mmdet.checkpoints import write_checkpoint
from hqm_mmdet.cli import quickstart
from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from hqm_mmdet_cli.errors import UsageError
from tests.cli.running import run
from tests.tools.conftest import ROOT


def test_pictures_and_pages(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    make_toy_hoi("data/toy_hoi", ToySettings(num_train=12, num_test=4), progress=False)
    config = ROOT / "configs" / "qpic_toy.py"
    work_dir, predictions = tmp_path / "work", tmp_path / "work" / "predictions.pkl"
    work_dir.mkdir()
    write_checkpoint(work_dir / "best_hico_full_epoch_1.pth", build_model(config).state_dict(), {})
    (work_dir / "finished").touch()
    checkpoint = quickstart.finished_checkpoint(work_dir)
    metrics, runner = quickstart.test(config, checkpoint, work_dir, predictions)
    assert "hico/full" in metrics
    sheet, folder = quickstart.draw(runner, work_dir / "pictures", count=2, threshold=0.0)
    assert sheet.is_file() and len(list(folder.iterdir())) == 2
    report, browser = quickstart.write_pages(config, predictions, work_dir)
    assert "<title>" in report.read_text() and "toy_test_" in report.read_text()
    assert "toy_train_" in browser.read_text()
    assert "+ hqm-mmdet browse configs/qpic_toy.py" in capsys.readouterr().out


def test_comparison_of_two_configs(monkeypatch, tmp_path):
    """Both models are there already, untrained; all other steps run as in `--compare`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(quickstart, "ToySettings", lambda: ToySettings(num_train=12, num_test=4))
    for name in ("qpic_hqm_toy", "qpic_toy"):
        work_dir = tmp_path / "runs" / name
        work_dir.mkdir(parents=True)
        weights = build_model(ROOT / "configs" / f"{name}.py").state_dict()
        write_checkpoint(work_dir / "best_hico_full_epoch_1.pth", weights, {})
        (work_dir / "finished").touch()
    assert run("quickstart", "--compare", "--pictures", "1", "--work-dir", "runs/qpic_hqm_toy") == 0
    page = (tmp_path / "runs" / "comparison" / "index.html").read_text()
    assert "qpic_hqm_toy" in page and "qpic_toy" in page


def test_seed_reaches_the_training(monkeypatch, tmp_path):
    started = []
    monkeypatch.setattr(
        quickstart.subprocess, "run", lambda words, env: started.append(words) or Namespace(returncode=1)
    )
    monkeypatch.setattr(quickstart, "make_toy_hoi", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    for words in ((), ("--seed", "7")):
        assert run("quickstart", *words) == 2
    (plain, seeded) = (words[words.index("--work-dir") :] for words in started)
    assert plain == ["--work-dir", "work_dirs/quickstart/qpic_hqm_toy", "--resume"]
    assert seeded == ["--work-dir", "work_dirs/quickstart/qpic_hqm_toy_seed_7", "--resume", "--seed", "7"]


@pytest.mark.parametrize("name", ("qpic_toy.py", "nothing_hqm_toy.py"))
def test_comparison_needs_mining(name):
    with pytest.raises(UsageError, match="--compare needs a config with mining"):
        quickstart.plain_config(ROOT / "configs" / name)
