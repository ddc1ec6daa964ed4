"""What a finished training leaves behind: one small JSON file, and what tells whether it still counts."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from mmengine.config import Config

from hqm_mmdet.errors import UserError

from .plan import Run

# The part of a config that decides what is trained; paths and seeds differ between equal trainings.
TRAINED_BY = (
    "model",
    "train_dataloader",
    "val_dataloader",
    "val_evaluator",
    "train_cfg",
    "optim_wrapper",
    "param_scheduler",
    "custom_hooks",
)
TRACE_TOLERANCE = 1e-3  # relative; processors and versions of torch differ by less in four iterations


class StudyError(UserError, RuntimeError):
    """The study can't go on; the message says why and what to do."""


@dataclass(frozen=True)
class Record:
    """A finished training.

    Args:
        arm, split, seed: which one.
        config: path in the repository.
        config_digest, data_digest: of what it trained with, see :func:`config_digest` and :func:`data_digest`.
        commit: of the checkout; ends with + if there were uncommitted changes.
        versions: of Python, torch and other packages.
        date: of its end.
        minutes: wall clock, evaluation included.
        training_seconds: CPU time without evaluation.
        trace: sum of losses of the first iterations.
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
        """Text of the file: one line per field, so that differences stay readable."""
        fields = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in asdict(self).items())
        return "{\n" + ",\n".join(fields) + "\n}\n"


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
    """Of what a config trains, without folders and seed."""
    parts = cfg.to_dict()
    return _digest(json.dumps({key: _without_folders(parts.get(key)) for key in TRAINED_BY}, sort_keys=True))


def _without_folders(value):
    if isinstance(value, dict):
        return {key: _without_folders(each) for key, each in value.items() if key != "data_root"}
    return [_without_folders(each) for each in value] if isinstance(value, list | tuple) else value


def data_digest(folder: Path) -> str:
    """Of the annotations of a toy set; images are a function of the same settings."""
    files = ("trainval_toy.json", "test_toy.json")
    return _digest(*((folder / "annotations" / name).read_text() for name in files))


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def require_same_trace(record: Record, trace: list[float]) -> None:
    """Refuse to add to records of code that trains differently.

    Args:
        record: made before.
        trace: first losses of the same run, by the code as it is.

    Raises:
        StudyError: they differ.
    """
    if not np.allclose(trace, record.trace, rtol=TRACE_TOLERANCE, atol=0):
        raise StudyError(
            f"{record.run.file_name()} was made by commit {record.commit}, whose first losses were "
            f"{record.trace}; this code has {trace}. Runs of both must not be mixed: go on with that commit, or move "
            f"the records of {record.arm} out of docs/study and train them anew."
        )
