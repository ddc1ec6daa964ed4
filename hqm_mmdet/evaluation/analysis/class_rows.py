"""One row per class of the metric."""

from collections.abc import Mapping

import numpy as np

from ..metrics.hico_det_metric import HICORanking
from ..metrics.vcoco_metric import VCOCORanking
from .model import ClassRow
from .run import Run
from .training_counts import TrainingCounts


def class_rows(run: Run, counts: TrainingCounts | None = None) -> tuple[ClassRow, ...]:
    """Classes that the metric averages.

    Args:
        run (Run): The run.
        counts (TrainingCounts, optional): Training instances.

    Returns:
        tuple[ClassRow, ...]: By object label, then verb label; those without ground truth only where the metric counts
        them (HOI-A: as 0).
    """
    judged, results, curves = run.judged, run.class_results, _curves(run)
    ap, max_recall = (np.nan_to_num(x) if judged.empty_counts_zero else x for x in (results.ap, results.max_recall))
    shown = np.flatnonzero(judged.empty_counts_zero | (results.num_gt > 0))
    others, groups = _other_aps(run), _groups(run)
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
            **groups[k],
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
    return list(zip(np.split(recall, ends)[:-1], np.split(precision, ends)[:-1], strict=True))


def _other_aps(run: Run) -> Mapping[str, np.ndarray]:
    """Further APs, (K,) each."""
    ranking = run.ranking
    if isinstance(ranking, VCOCORanking):
        tables, actions = ranking.ranked.tables(), ranking.ranked.roles.role_actions
        return {"scenario 2": tables["role_s2"], "agent": tables["agent"][actions]}
    if isinstance(ranking, HICORanking) and "known_object" in ranking.settings:
        known = ranking.settings["known_object"]
        return {"known object": known.results(run.judged.protocol.recall_thresholds).ap}
    return {}


def _groups(run: Run) -> list[dict]:
    """``group`` and ``unseen`` of each column."""
    classes, ranking = run.judged.classes, run.ranking
    if not isinstance(ranking, HICORanking):
        return [{} for _ in classes]
    rare = np.isin(classes, ranking.vocabulary.rare_classes)
    unseen = ranking.vocabulary.unseen_classes
    unseen = np.zeros(len(classes), bool) if unseen is None else np.isin(classes, unseen)
    return [dict(group="rare" if r else "non-rare", unseen=bool(u)) for r, u in zip(rare, unseen, strict=True)]
