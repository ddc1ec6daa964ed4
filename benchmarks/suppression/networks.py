"""The interactiveness networks: trained on a host's own boxes, one for each seed, for all hosts of the seed."""

import json
import time
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner
from study.plan import ROOT

from hqm_mmdet.utils.atomic_io import write_atomically

TEACHER = "QPIC"  # whose pairs are the negatives; the other hosts get a network that never saw theirs
EPOCHS = 3
# The best boxes of an image in all combinations: what a detector confuses, and what it finds beside every object.
SAMPLER = dict(type="ThresholdPairs", sub_score_thr=0.0, obj_score_thr=0.0, max_subjects=8, max_objects=16, fallback=0)


def detections_of(predictions: Path, out: Path) -> Path:
    """Boxes of a prediction file as a detection file; a box has the best score of all pairs that it is part of."""
    rows = []
    for entry in json.loads(predictions.read_text()):
        scores = [0.0] * len(entry["predictions"])
        for pair in entry["hoi_prediction"]:
            for box in (pair["subject_id"], pair["object_id"]):
                if box >= 0:
                    scores[box] = max(scores[box], *pair["score"])
        for box, score in zip(entry["predictions"], scores, strict=True):
            x1, y1, x2, y2 = box["bbox"]
            size = [x1, y1, x2 - x1, y2 - y1]
            rows.append(dict(image_id=entry["file_name"], category_id=box["category_id"], bbox=size, score=score))
    write_atomically(out, json.dumps(rows).encode())
    return out


def network_config(data: Path, detections: Path, work_dir: Path, seed: int) -> Config:
    """The toy config on a host's boxes of the images that the host was trained on."""
    cfg = Config.fromfile(ROOT / "configs" / "interactiveness_toy.py")
    cfg.model.update(instances=dict(type="StoredInstances"), pair_sampler=SAMPLER)
    cfg.train_dataloader.dataset.update(
        data_root=f"{data}/", ann_file="annotations/fit_toy.json", detections=str(detections)
    )
    cfg.param_scheduler[1].update(end=EPOCHS, milestones=[round(EPOCHS * 2 / 3)])
    cfg.train_cfg.max_epochs = EPOCHS
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint.update(save_best=None, interval=EPOCHS, iter_interval=-1)
    cfg.randomness.seed, cfg.work_dir, cfg.log_level = seed, str(work_dir), "WARNING"
    cfg.visualizer.vis_backends = []
    cfg.experiment_name = f"{work_dir.name}_{time.time_ns()}"  # mmengine keeps runners by name
    return cfg


def train_network(predictions: Path, data: Path, work_dir: Path, seed: int) -> Path:
    """Checkpoint of the seed's network, trained if it is not there.

    Args:
        predictions (Path): the teacher's, of the images of ``fit_toy.json``.
        data (Path): the toy set.
        work_dir (Path): of the network.
        seed (int): of its training.
    """
    checkpoint = work_dir / f"epoch_{EPOCHS}.pth"
    if not checkpoint.is_file():
        work_dir.mkdir(parents=True, exist_ok=True)
        detections = detections_of(predictions, work_dir / "detections.json")
        Runner.from_cfg(network_config(data, detections, work_dir, seed)).train()
    return checkpoint
