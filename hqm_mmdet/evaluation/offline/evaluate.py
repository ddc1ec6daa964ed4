"""Metrics of a prediction file."""

from dataclasses import dataclass
from pathlib import Path

from .evaluation_set import EvaluationSet
from .file_records import read_records


@dataclass(frozen=True)
class OfflineResult:
    """What an evaluation gives.

    Args:
        metrics (dict[str, float]): with the metric's prefix, e.g. ``hico/full``.
        table (str): the same for reading.
        missing (tuple[str, ...]): images that the file says nothing about; their ground truth counts as not found.
        warnings (tuple[str, ...]): what makes the numbers doubtful.
        unknown (tuple[str | int, ...]): images of the file that were left out, see ``EvaluationSet.skip_unknown``.
    """

    metrics: dict[str, float]
    table: str
    missing: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    unknown: tuple[str | int, ...] = ()


def evaluate_file(path: str | Path, images: EvaluationSet, progress: bool = False) -> OfflineResult:
    """Compare a prediction file with annotations.

    Args:
        path (str | Path): see :func:`~.prediction_files.read_predictions`.
        images (EvaluationSet): annotations and metric.
        progress (bool): show a progress bar. Default: False.

    Returns:
        OfflineResult: metrics.

    Raises:
        FileNotFoundError, CheckpointError, PredictionError, AnnotationError: see :func:`~.file_records.read_records`.
    """
    found = read_records(path, images, progress)
    metrics, table = images.metric.summarize(list(found.records))
    named = {f"{images.metric.default_prefix}/{key}": value for key, value in metrics.items()}
    return OfflineResult(named, table, found.missing, found.warnings, found.unknown)
