"""The HQM configs of V-COCO and HOI-A run from training to their metric, on a small model and tiny files."""

import json

import pytest
from mmengine.config import Config

from tests.datasets.tiny_hoi import write_hoi_a_layout
from tests.datasets.tiny_vcoco import write_vcoco_layout
from tests.tools.conftest import ROOT

LAYOUTS = {"vcoco": ("data/v-coco", write_vcoco_layout), "hoia": ("data/hoia", write_hoi_a_layout)}


def small(name: str, out) -> None:
    """Write the config with the toy set's model, image size and batch; everything else stays."""
    cfg, toy = (Config.fromfile(ROOT / "configs" / file) for file in (f"qpic_hqm_{name}.py", "qpic_toy.py"))
    sizes = {key: cfg.model.bbox_head[key] for key in ("num_obj_classes", "num_verbs")}
    mining = cfg.model.query_mining
    mining.miners.gbs.embed_dims = 128
    cfg.model, cfg.needs_start = dict(toy.model, query_mining=mining), None
    cfg.model.bbox_head.update(sizes)
    for split in ("train", "val", "test"):
        loader, toy_loader = cfg[f"{split}_dataloader"], toy[f"{split}_dataloader"]
        loader.dataset.pipeline = toy_loader.dataset.pipeline
        loader.update(batch_size=2, num_workers=0, persistent_workers=False)
    cfg.train_cfg.update(max_epochs=2, val_interval=2, dynamic_intervals=None)
    cfg.default_hooks.logger.interval = 1
    cfg.visualizer.name = f"data_set_config_{name}"  # one of its own: there is one visualizer per name and process
    cfg.dump(out)


@pytest.mark.parametrize("name, metric", [("vcoco", "vcoco/role_s1"), ("hoia", "hoia/mAP")])
def test_training_and_evaluation(call, tmp_path, name, metric):
    folder, write = LAYOUTS[name]
    (tmp_path / folder).parent.mkdir(parents=True)
    write(tmp_path / folder)
    small(name, tmp_path / "config.py")
    assert call("train", "config.py", "--work-dir", "out") == 0
    (scalars,) = (tmp_path / "out").glob("*/vis_data/scalars.json")
    rows = [json.loads(line) for line in scalars.read_text().splitlines()]
    assert 0 <= rows[-1][metric] <= 1
    losses = {key.split(".")[0] for row in rows for key in row}
    assert {"gbs", "amm"} <= losses  # both hard sets had their turn
    (best,) = (tmp_path / "out").glob(f"best_{metric.replace('/', '_')}_epoch_2.pth")
    assert call("test", "config.py", best, "--work-dir", "tested") == 0
