"""One prediction file against the annotations: matched once, for all that is said about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from rich import get_console

from ..functional import ClassResults, ErrorBreakdown, JudgedCandidates, break_down
from ..functional.error_kinds import KINDS, RIGHT
from ..metrics.base import Ranking
from ..metrics.interactiveness_metric import RankedInteractiveness
from ..offline import EvaluationSet, read_records


@dataclass(frozen=True, eq=False)
class Run:
    """I images, what a file predicts for them, and who took what.

    Args:
        name (str): as the reader knows it.
        images (EvaluationSet): annotations and metric.
        ranking (Ranking): of the metric.
        missing (tuple[str, ...]): images that the file says nothing about.
        warnings (tuple[str, ...]): what makes the numbers doubtful.
        unknown (tuple[str | int, ...]): images of the file that were left out.
        interactiveness (RankedInteractiveness, optional): of the pairs that the file says interact or do not.
    """

    name: str
    images: EvaluationSet
    ranking: Ranking
    missing: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    unknown: tuple[str | int, ...] = ()
    interactiveness: RankedInteractiveness | None = None

    @property
    def metainfo(self) -> Mapping:
        """``classes``, ``verbs`` and further tables of the data set."""
        return self.images.metric.dataset_meta

    @cached_property
    def judged(self) -> JudgedCandidates:
        """Candidates and ground truth of the headline metric."""
        return self.ranking.judged()

    @cached_property
    def breakdown(self) -> ErrorBreakdown:
        """What is wrong with each candidate, and what that costs."""
        return break_down(self.judged)

    @cached_property
    def class_results(self) -> ClassResults:
        """AP and counts of the classes."""
        return self.judged.class_results()

    def verdicts(self, rows: np.ndarray) -> list[str]:
        """``right`` or the kind of error of each of the candidates ``rows``."""
        return ["right" if kind == RIGHT else KINDS[kind] for kind in self.breakdown.kind[rows].tolist()]

    def key(self, name: str) -> str:
        """``full`` -> ``hico/full``."""
        return f"{self.images.metric.default_prefix}/{name}"


def read_run(path: str | Path, images: EvaluationSet, name: str | None = None, progress: bool = False) -> Run:
    """Read a prediction file and match it.

    Args:
        path (str | Path): see :func:`~hqm_mmdet.evaluation.offline.read_predictions`.
        images (EvaluationSet): annotations and metric.
        name (str, optional): of the run. Default: the file's name.
        progress (bool): show what is done. Default: False.

    Returns:
        Run: of all images of ``images``.

    Raises:
        FileNotFoundError, CheckpointError, PredictionError, AnnotationError: see
            :func:`~hqm_mmdet.evaluation.offline.read_records`.
    """
    found = read_records(path, images, progress)
    say(f"matching {len(found.records)} images", progress)
    ranking = images.metric.rank(list(found.records))
    judged = RankedInteractiveness(found.interactiveness) if found.interactiveness else None
    return Run(name or Path(path).name, images, ranking, found.missing, found.warnings, found.unknown, judged)


def say(message: str, progress: bool) -> None:
    """Tell which step comes."""
    if progress:
        get_console().print(message, highlight=False, markup=False)
