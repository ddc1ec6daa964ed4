"""One row per class of the metric."""

import numpy as np

from .model import ClassRow
from .run import Run
from .training_counts import TrainingCounts


def class_rows(run: Run, counts: TrainingCounts | None = None) -> tuple[ClassRow, ...]:
    """Classes that the metric averages.

    Args:
        run (Run): the run.
        counts (TrainingCounts, optional): training instances.

    Returns:
        tuple[ClassRow, ...]: by object label, then verb label; those without ground truth only where the metric counts
        them (HOI-A: as 0).
    """
    judged, results, curves = run.judged, run.class_results, _curves(run)
    # As the metric counts them: HOI-A a verb without ground truth as 0, others not at all.
    ap, max_recall = (np.nan_to_num(x) if judged.empty_counts_zero else x for x in (results.ap, results.max_recall))
    shown = np.flatnonzero(judged.empty_counts_zero | (results.num_gt > 0))
    others, sets = run.ranking.other_aps(), run.ranking.class_sets()
    return tuple(
        ClassRow(
            *_names(run, k),
            num_gt=int(results.num_gt[k]),
            num_train=None if counts is None else counts.of(*judged.column_labels[k].tolist()),
            ap=float(ap[k]),
            max_recall=float(max_recall[k]),
            recall=curves[k][0],
            precision=curves[k][1],
            other={name: float(values[k]) for name, values in others.items()},
            group=("rare" if sets["rare"][k] else "non-rare") if "rare" in sets else None,
            unseen="unseen" in sets and bool(sets["unseen"][k]),
        )
        for k in shown.tolist()
    )


def _names(run: Run, k: int) -> tuple[str, str | None]:
    """Verb and object of a column; a subject that is not the data set's own is told with the object."""
    judged, metainfo = run.judged, run.metainfo
    verb, label = judged.column_labels[k].tolist()
    if label < 0:
        return metainfo["verbs"][verb], None
    name = metainfo["classes"][label] if label < len(metainfo["classes"]) else None
    subject = int(judged.coder.decode(judged.classes[k : k + 1])[0][0])
    if judged.protocol.compares_subject_labels and subject != metainfo.get("subject_label", 0):
        name = f"{name or 'no object'} (subject: {metainfo['classes'][subject]})"
    return metainfo["verbs"][verb], name


def _curves(run: Run) -> list[tuple[np.ndarray, np.ndarray]]:
    """Recall and precision of each column at its true positives."""
    column, recall, precision = run.judged.ranked().curve_points()
    ends = np.cumsum(np.bincount(column, minlength=len(run.judged.classes)))
    # split() gives one part more than there are ends.
    return list(zip(np.split(recall, ends)[:-1], np.split(precision, ends)[:-1], strict=True))
