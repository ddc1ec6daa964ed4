"""The detectors that are helped, and the images that they have not seen."""

import json
from pathlib import Path

from hqm_mmdet.datasets.toy import make_toy_hoi
from study.plan import EPOCHS, SCALES, Experiment, Run
from study.records import read_records
from study.run import current_commit
from study.scheduling import Queue, data_folder

SCALE, SPLIT = "suppression", "normal"
HOSTS = {"QPIC": "baseline", "QPIC + HQM": "AJL"}  # the study's names of these arms
HELD_OUT = 400  # training images that no host and no network learns from: thresholds are searched there


def make_data(work_dir: Path) -> Path:
    """The toy set, its training annotations in two parts: ``fit_toy.json`` and ``heldout_toy.json``."""
    data = data_folder(work_dir, SPLIT)
    make_toy_hoi(data, SCALES[SCALE].splits[SPLIT])
    entries = json.loads((data / "annotations" / "trainval_toy.json").read_text())
    for name, part in (("fit", entries[:-HELD_OUT]), ("heldout", entries[-HELD_OUT:])):
        (data / "annotations" / f"{name}_toy.json").write_text(json.dumps(part))
    return data


def train_hosts(records_folder: Path, work_dir: Path, seeds: int) -> dict[Run, Path]:
    """Train what is missing; checkpoints of all hosts."""
    make_data(work_dir)
    records_folder.mkdir(parents=True, exist_ok=True)
    records = {record.run: record for record in read_records(records_folder)}
    experiment = Experiment(tuple(HOSTS.values()), (SPLIT,), seeds)
    queue = Queue(SCALE, [experiment], records, records_folder, work_dir, jobs=1, commit=current_commit())
    for _ in queue.run():
        pass
    return {run: weights_of(run, work_dir) for run in records}


def weights_of(run: Run, work_dir: Path) -> Path:
    """Checkpoint that a run left."""
    return work_dir / "runs" / f"{SCALE}_{Path(run.file_name()).stem}" / f"epoch_{EPOCHS}.pth"
