"""The tutorial of docs/two_stage.md in small: mmdet trains a detector, UPT learns on it, pictures come out."""

import re

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from hqm_mmdet.apis.inference import HOIInferencer
from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from tests.conftest import REPOSITORY
from tests.models.reference import CONFIGS


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    settings = ToySettings(num_train=16, num_test=4)
    return make_toy_hoi(tmp_path_factory.mktemp("tutorial") / "toy", settings, progress=False)


def train(name, root, **options):
    """An epoch of two iterations; the folder with its checkpoint."""
    init_default_scope("hqm_mmdet")
    cfg = Config.fromfile(CONFIGS / f"{name}.py")
    cfg.merge_from_dict(options)
    cfg.work_dir, cfg.log_level = str(root.parent / name.replace("/", "_")), "WARNING"
    cfg.experiment_name = f"tutorial_{name.replace('/', '_')}"
    cfg.train_cfg.max_epochs = cfg.train_cfg.val_interval = 1
    for loader in ("train", "val"):
        if cfg[f"{loader}_dataloader"] is not None:
            cfg[f"{loader}_dataloader"].dataset.data_root = f"{root}/"
            cfg[f"{loader}_dataloader"].update(num_workers=0, persistent_workers=False)
    cfg.default_hooks.checkpoint.save_best = None
    runner = Runner.from_cfg(cfg)
    runner.train()
    return root.parent / name.replace("/", "_") / "epoch_1.pth"


def test_a_detector_of_mmdet_s_then_upt_then_pictures(root):
    detector = train("detectors/fcos_toy", root)
    options = {"model.instances.checkpoint": str(detector), "model.selection.score_thr": 0.0}
    checkpoint = train("upt_fcos_toy", root, **options)
    detector.unlink()  # the model's own checkpoint has its weights
    image = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    result = HOIInferencer(weights=str(checkpoint), show_progress=False)(image, return_vis=True)
    assert len(result["visualization"]) == 1 and not result["failures"]


def test_the_page_names_these_configs():
    page = (REPOSITORY / "docs" / "two_stage.md").read_text(encoding="utf-8")
    commands = re.findall(r"tools/train.py (configs/\S*fcos\S*)", page)
    assert commands == ["configs/detectors/fcos_toy.py", "configs/upt_fcos_toy.py"]
