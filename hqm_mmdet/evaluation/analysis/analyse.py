"""All that a report says about one prediction file."""

from pathlib import Path

import numpy as np

from ..offline import EvaluationSet
from .class_rows import class_rows
from .image_cases import ImageBook
from .metric_values import metric_values
from .model import Analysis, Interactiveness, MetricValue
from .run import Run, read_run, say
from .training_counts import TrainingCounts, count_training, how_to_get_counts

RESAMPLES = 500


def analyse_file(
    path: str | Path,
    images: EvaluationSet,
    train_counts: TrainingCounts | None = None,
    num_cases: int = 12,
    resamples: int = RESAMPLES,
    progress: bool = False,
) -> Analysis:
    """Analyse a prediction file of this or another code base.

    Args:
        path (str | Path): see :func:`~hqm_mmdet.evaluation.offline.read_predictions`.
        images (EvaluationSet): annotations and metric.
        train_counts (TrainingCounts, optional): default: what :func:`~.training_counts.count_training` finds.
        num_cases (int): best and worst images, at most so many of each. Default: 12.
        resamples (int): resamples of the images for 95 % confidence intervals; 0 gives none. Default: 500.
        progress (bool): show what is done. Default: False.

    Returns:
        Analysis: its metrics are those of :func:`~hqm_mmdet.evaluation.offline.evaluate_file`.

    Raises:
        FileNotFoundError, CheckpointError, PredictionError, AnnotationError: A file is missing or unfit.
    """
    run = read_run(path, images, progress=progress)
    if train_counts is None:
        say("counting training instances", progress)
        train_counts = count_training(images)
    metrics = metric_values(run, resamples, progress)
    say("judging images", progress)
    return analyse(ImageBook(run), metrics, train_counts, num_cases)


def analyse(
    book: ImageBook,
    metrics: tuple[MetricValue, ...],
    train_counts: TrainingCounts | None = None,
    num_cases: int = 12,
) -> Analysis:
    """Put together what is known about a run.

    Args:
        book (ImageBook): the run and its images.
        metrics (tuple[MetricValue, ...]): see :func:`~.metric_values.metric_values`.
        train_counts, num_cases: see :func:`analyse_file`; without counts the analysis has none.
    """
    run = book.run
    return Analysis(
        name=run.name,
        dataset=run.images.dataset,
        protocol=run.ranking.name,
        num_images=run.ranking.num_images,
        missing=run.missing,
        headline=run.key(run.ranking.headline),
        metrics=metrics,
        classes=class_rows(run, train_counts),
        errors=run.breakdown.rows,
        limits=run.breakdown.limits,
        best=tuple(map(book.case, book.best(num_cases))),
        worst=tuple(map(book.case, book.worst(num_cases))),
        notes=_notes(run, train_counts),
        warnings=run.warnings,
        unknown=run.unknown,
        interactiveness=_interactiveness(run),
    )


def _interactiveness(run: Run) -> Interactiveness | None:
    if run.interactiveness is None:
        return None
    means = run.interactiveness.means()
    counts = ("pairs", "interactive_pairs", "suppressed_right", "suppressed_wrong")
    return Interactiveness(
        means["mAP"], means["AP_interactive"], means["AP_non_interactive"], *(int(means[name]) for name in counts)
    )


def _notes(run: Run, train_counts: TrainingCounts | None) -> tuple[str, ...]:
    notes = [f"These numbers are doubtful: {warning}." for warning in run.warnings]
    if train_counts is None:
        notes.append(how_to_get_counts(run.images))
    judged, results = run.judged, run.class_results
    verbs = run.metainfo["verbs"]
    uncounted = [verbs[judged.column_labels[k, 0]] for k in np.flatnonzero(~judged.counted & (results.num_gt > 0))]
    if uncounted:
        notes.append(f"{run.key(run.ranking.headline)} leaves out {', '.join(uncounted)}, as published numbers do.")
    empty = [
        verbs[judged.column_labels[k, 0]] for k in np.flatnonzero(judged.empty_counts_zero & (results.num_gt == 0))
    ]
    if empty:
        notes.append(f"No image shows {', '.join(empty)}; the metric counts such classes as 0.")
    return tuple(notes)
