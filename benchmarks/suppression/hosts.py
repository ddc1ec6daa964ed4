"""The detectors that are helped, and the images that they have not seen."""

import json
from pathlib import Path

from mmengine.runner import Runner
from study.plan import EPOCHS, SCALES, Experiment, Run, run_config
from study.records import read_records
from study.run import current_commit
from study.scheduling import Queue, data_folder

from hqm_mmdet.datasets.toy import make_toy_hoi

SCALE, SPLIT = "suppression", "normal"
HOSTS = {"QPIC": "baseline", "QPIC + HQM": "AJL"}  # the study's names of these arms
HELD_OUT = 400  # training images that no host and no network learns from: thresholds are searched there
IMAGES = {"fit": "images/train/", "heldout": "images/train/", "test": "images/test/"}


def make_data(work_dir: Path) -> Path:
    """The toy set, its training annotations in two parts: ``fit_toy.json`` and ``heldout_toy.json``."""
    data = data_folder(work_dir, SPLIT)
    make_toy_hoi(data, SCALES[SCALE].splits[SPLIT])
    entries = json.loads((data / "annotations" / "trainval_toy.json").read_text())
    for name, part in (("fit", entries[:-HELD_OUT]), ("heldout", entries[-HELD_OUT:])):
        (data / "annotations" / f"{name}_toy.json").write_text(json.dumps(part))
    return data


def train_hosts(seeds: int, records_folder: Path, work_dir: Path) -> None:
    """Train what is missing of so many seeds."""
    records_folder.mkdir(parents=True, exist_ok=True)
    records = {record.run: record for record in read_records(records_folder)}
    experiment = Experiment(tuple(HOSTS.values()), (SPLIT,), seeds)
    queue = Queue(SCALE, [experiment], records, records_folder, work_dir, jobs=1, commit=current_commit())
    for _ in queue.run():
        pass


def predict(host: str, seed: int, part: str, work_dir: Path) -> Path:
    """A host's prediction file for ``fit``, ``heldout`` or ``test``."""
    run = Run(SPLIT, HOSTS[host], seed)
    folder = work_dir / "runs" / f"{SCALE}_{Path(run.file_name()).stem}"
    out = folder / f"{part}.json"
    if not out.is_file():
        cfg = run_config(run, data_folder(work_dir, SPLIT), SCALES[SCALE])
        cfg.load_from, cfg.work_dir = str(folder / f"epoch_{EPOCHS}.pth"), str(folder)
        cfg.experiment_name = f"{folder.name}_{part}"  # mmengine keeps runners by name
        cfg.test_dataloader = cfg.val_dataloader
        cfg.test_dataloader.dataset.update(ann_file=f"annotations/{part}_toy.json", data_prefix=dict(img=IMAGES[part]))
        cfg.test_evaluator = dict(type="DumpHOIPredictions", out_file=str(out))
        Runner.from_cfg(cfg).test()
    return out
