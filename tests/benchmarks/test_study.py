"""The study's bookkeeping, and that its arms differ by the mining alone."""

import json
from argparse import Namespace

import numpy as np
import pytest
from mmengine.config import Config


@pytest.fixture
def study(script):
    return script("study")


def write_log(folder, epochs, per_epoch=250):
    """mmengine's log of some epochs: epoch -> mAP."""
    (folder / "vis_data").mkdir(parents=True)
    lines = []
    for epoch, value in epochs.items():
        lines.append({"loss": 1.0, "iter": epoch * per_epoch, "epoch": epoch, "step": epoch * per_epoch})
        lines.append({"hico/full": value, "step": epoch})
    (folder / "vis_data" / "scalars.json").write_text("\n".join(map(json.dumps, lines)))


def write_runs(study, out, seeds, value):
    for split in study.SPLITS:
        for arm in study.ARMS:
            for seed in seeds:
                final = value(split, arm, seed)
                folder = study.Run(split, arm, seed).folder(out)
                write_log(folder / "20260101_000000", {1: final / 4, 2: final / 2})
                write_log(folder / "20260101_010000", {2: final / 2, 3: final})  # resumed


def test_curves_of_resumed_runs_are_joined(study, tmp_path):
    write_runs(study, tmp_path, [0], lambda *run: 0.4)
    points = study.curve(study.Run("normal", "AJL", 0), tmp_path)
    np.testing.assert_allclose(points, [[250, 0.1], [500, 0.2], [750, 0.4]])


@pytest.mark.parametrize(("level", "expected"), [(0.05, 50), (0.1, 100), (0.15, 150), (0.3, 250), (0.5, np.nan)])
def test_iterations_to_a_level(study, level, expected):
    points = np.array([[100, 0.1], [200, 0.2], [300, 0.4], [400, 0.3]])
    assert study.iterations_to(level, points) == pytest.approx(expected, nan_ok=True)


def test_report(study, tmp_path):
    gains = dict(baseline=0, GBS=0.01, AMM=0.02, CJL=-0.01, PJL=0, AJL=0.1)
    seeds = [0, 1, 2]
    out = tmp_path / "study"
    write_runs(study, out, seeds, lambda split, arm, seed: 0.4 + gains[arm] + 0.01 * seed)
    args = Namespace(splits=list(study.SPLITS), arms=list(study.ARMS), seeds=seeds, page=tmp_path / "page.md")
    study.report(out, args)
    text = (tmp_path / "page.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith(("| normal", "| position"))]
    assert len(rows) == 12
    assert "| normal | AJL | 0.5100 ± 0.0100 | 0.1000 ± 0.0000 |" in text
    assert "3 seeds, 750 iterations" in text
    assert (tmp_path / "images" / "study.png").stat().st_size > 10_000


def test_arms_differ_by_the_mining_alone(study):
    configs = {arm: Config.fromfile(path).to_dict() for arm, path in study.ARMS.items()}
    minings = {}
    for arm, cfg in configs.items():
        minings[arm] = json.dumps(cfg["model"].pop("query_mining", None))
        cfg.pop("query_mining", None), cfg.pop("custom_hooks", None)
    assert all(cfg == configs["baseline"] for cfg in configs.values())
    assert minings["baseline"] == "null" and len(set(minings.values())) == len(minings)


def test_schedule_changes_known_settings_only(study, tmp_path):
    for path in study.ARMS.values():
        cfg = Config.fromfile(path)
        before = set(cfg.to_dict())
        cfg.merge_from_dict(study.schedule(tmp_path, 6, 1e-4))
        assert set(cfg.to_dict()) == before
        assert cfg.param_scheduler[1].milestones == [4, 5] and cfg.train_cfg.max_epochs == 6
        assert cfg.train_dataloader.dataset.data_root == f"{tmp_path}/"


def test_failed_training_names_its_log(study, tmp_path):
    options = {"train_dataloader.dataset.data_root": f"{tmp_path}/nothing/"}
    with pytest.raises(RuntimeError, match="output.log"):
        study.train(study.ARMS["baseline"], options, tmp_path / "run", seed=0)
    assert "nothing" in (tmp_path / "run" / "output.log").read_text()


def test_run_without_evaluation_is_named(study, tmp_path):
    with pytest.raises(ValueError, match=r"normal.*ajl.*has no hico/full"):
        study.curve(study.Run("normal", "AJL", 0), tmp_path)
