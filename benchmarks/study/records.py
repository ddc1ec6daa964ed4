"""What a finished training leaves behind: one small JSON file, and what tells whether it still counts."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from mmengine.config import Config

from hqm_mmdet.errors import UserError

from .plan import Run

# What acts later than a trace sees. Model and images are left to the trace: renaming an option is no other training.
RECIPE = ("train_cfg", "optim_wrapper", "param_scheduler", "custom_hooks", "val_evaluator")
TRACE_TOLERANCE = 2e-5  # relative; rounding on another processor changes less in four iterations
# Kernels of another kind round otherwise (6e-5 in the fourth loss on a CPU without oneDNN), and Adam, which divides
# gradients by their size, makes more of it in every iteration: of two predictions and four losses.
TOLERANCES_ACROSS_DEVICES = (2e-5, 2e-5, 2e-5, 2e-5, 2e-4, 2e-3)


class StudyError(UserError, RuntimeError):
    """The study can't go on; the message says why and what to do."""


@dataclass(frozen=True)
class Record:
    """A finished training.

    Args:
        arm, split, seed: which one.
        config: path in the repository.
        config_digest, data_digest: see :func:`config_digest` and :func:`data_digest`.
        commit: of the checkout; ends with + if there were uncommitted changes.
        versions: of Python, torch and other packages.
        date: of its end.
        minutes: wall clock, evaluation included.
        training_seconds: CPU time without evaluation.
        trace: what the untrained model predicts, and the sum of losses of the first iterations, see ``Observer``.
        curve: per evaluation ``iteration``, ``full``, ``rare``, ``non_rare`` (fractions).
        triplet_ap: AP of every triplet at the end, by ``verb object``.
    """

    arm: str
    split: str
    seed: int
    config: str
    config_digest: str
    data_digest: str
    commit: str
    versions: dict[str, str]
    date: str
    minutes: float
    training_seconds: float
    trace: list[float]
    curve: list[dict[str, float]]
    triplet_ap: dict[str, float]

    @property
    def run(self) -> Run:
        """Which training."""
        return Run(self.split, self.arm, self.seed)

    @property
    def final(self) -> dict[str, float]:
        """Metrics of the last evaluation."""
        return self.curve[-1]

    def as_json(self) -> str:
        """Text of the file."""
        return as_lines(asdict(self))


def as_lines(fields: Mapping) -> str:
    """A JSON object with one line per field, so that differences stay readable."""
    lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in fields.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def read_records(folder: Path) -> list[Record]:
    """All records of a folder.

    Raises:
        StudyError: a file is no record.
    """
    records = []
    for path in sorted(folder.glob("*.json")):
        try:
            records.append(Record(**json.loads(path.read_text())))
        except (TypeError, ValueError) as error:
            raise StudyError(f"{path} is no record of the study ({error}). Move it away.") from error
    return records


def fitting(
    records: Iterable[Record], digest_of: Callable[[Record], tuple[str, str]]
) -> tuple[list[Record], dict[Run, str]]:
    """Records of today's configs and data, and why each of the others does not count.

    Args:
        records: all there are.
        digest_of: digests of the config and the data that the same run would have now.
    """
    kept, left_out = [], {}
    for record in records:
        differs = [
            what
            for what, old, new in zip(
                ("config", "data"), (record.config_digest, record.data_digest), digest_of(record), strict=True
            )
            if old != new
        ]
        if differs:
            left_out[record.run] = f"other {' and '.join(differs)}"
        else:
            kept.append(record)
    return kept, left_out


def config_digest(cfg: Config) -> str:
    """Of a config's recipe: schedule, optimizer, hooks, batch size, evaluation."""
    recipe = {key: cfg.get(key) for key in RECIPE} | dict(batch_size=cfg.train_dataloader.batch_size)
    return _digest(json.dumps(recipe, sort_keys=True))


def data_digest(folder: Path) -> str:
    """Of the annotations of a toy set; images are a function of the same settings."""
    files = ("trainval_toy.json", "test_toy.json")
    return _digest(*((folder / "annotations" / name).read_text() for name in files))


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def require_same_trace(record: Record, trace: list[float], device: str = "CPU") -> None:
    """Refuse to add to records of a model, of images or of code that train or predict differently.

    Args:
        record: made before.
        trace: of the same run, by the code and the config as they are.
        device: that made it.

    Raises:
        StudyError: they differ.
    """
    same = record.versions.get("device", "CPU") == device
    tolerances = TRACE_TOLERANCE if same else TOLERANCES_ACROSS_DEVICES[: len(trace)]
    if (np.abs(np.divide(trace, record.trace) - 1) > tolerances).any():
        raise StudyError(
            f"{record.run.file_name()} was made by commit {record.commit}, whose first predictions and losses "
            f"were {record.trace}; here they are {trace}. Runs of both must not be mixed: go on with that commit, or "
            f"move the records of {record.arm} out of docs/study and train them anew."
        )
