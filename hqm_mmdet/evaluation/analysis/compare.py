"""Two prediction files side by side."""

from pathlib import Path

import numpy as np

from ..errors import EvaluationError
from ..offline import EvaluationSet
from .analyse import RESAMPLES, analyse
from .image_cases import ImageBook
from .metric_values import paired_metrics
from .model import Analysis, ClassDifference, Comparison, ImageCase
from .run import Run, read_run, say
from .training_counts import TrainingCounts, count_training

Pairs = tuple[tuple[ImageCase, ImageCase], ...]


def compare_files(
    first: str | Path,
    second: str | Path,
    images: EvaluationSet,
    train_counts: TrainingCounts | None = None,
    num_cases: int = 12,
    resamples: int = RESAMPLES,
    progress: bool = False,
) -> Comparison:
    """Compare two prediction files for the same images; arguments and errors as of :func:`~.analyse.analyse_file`.

    Two files of one name are told apart by their folders.
    """
    names = Path(first).name, Path(second).name
    if names[0] == names[1]:
        names = telling_names(Path(first), Path(second))
    runs = [read_run(path, images, name, progress) for path, name in zip((first, second), names, strict=True)]
    if train_counts is None:
        say("counting training instances", progress)
        train_counts = count_training(images)
    return compare(*runs, train_counts, num_cases, resamples, progress)


def telling_names(first: Path, second: Path) -> tuple[str, str]:
    """The ends of two paths that differ, from their last different folder on.

    >>> telling_names(Path("runs/qpic/test.pkl"), Path("runs/hqm/test.pkl"))
    ('qpic/test.pkl', 'hqm/test.pkl')
    """
    pairs = zip(reversed(first.parts), reversed(second.parts), strict=False)
    same = next((n for n, (one, other) in enumerate(pairs) if one != other), min(len(first.parts), len(second.parts)))
    return tuple(str(Path(*path.parts[-(same + 1) :])) for path in (first, second))


def compare(
    first: Run,
    second: Run,
    train_counts: TrainingCounts | None = None,
    num_cases: int = 12,
    resamples: int = RESAMPLES,
    progress: bool = False,
) -> Comparison:
    """Compare two runs.

    Args:
        first, second (Run): on the same images with the same metric.
        train_counts (TrainingCounts, optional): without, the comparison has no training counts.
        num_cases, resamples, progress: see :func:`~.analyse.analyse_file`. The same resamples serve both runs, so the
            interval of a difference is the narrower, the more alike they are.

    Returns:
        Comparison: images that one file says nothing about are neither better nor worse.

    Raises:
        EvaluationError: the runs differ in images, classes or protocol.
    """
    _check_same(first, second)
    *metrics, differences = paired_metrics(first, second, resamples, progress)
    say("judging images", progress)
    books = ImageBook(first), ImageBook(second)
    analyses = [analyse(*each, train_counts, num_cases) for each in zip(books, metrics, strict=True)]
    better, worse = _changed_images(*books, num_cases)
    return Comparison(*analyses, differences, _class_differences(*analyses), better, worse)


def _check_same(first: Run, second: Run) -> None:
    what = f"cannot compare {first.name} with {second.name}"
    names, others = first.images.file_names, second.images.file_names
    if names != others:
        different = sorted(set(names) ^ set(others))
        example = f"{different[0]} belongs to one of them only" if different else "their order differs"
        raise EvaluationError(
            f"{what}: they were evaluated on {len(names)} and {len(others)} images that are not the same: {example}. "
            "Evaluate both with the same annotation file."
        )
    for key in ("classes", "verbs", "rare_triplets", "unseen"):
        if first.metainfo.get(key) != second.metainfo.get(key):
            raise EvaluationError(f"{what}: their {key} differ. Evaluate both as the same data set.")
    metrics = [(run.images.metric.default_prefix, run.ranking.name) for run in (first, second)]
    if metrics[0] != metrics[1]:
        raise EvaluationError(
            f"{what}: one was evaluated as {metrics[0]}, the other as {metrics[1]}. Choose one protocol."
        )
    gts = first.judged.gts, second.judged.gts
    if not all(
        np.array_equal(*(getattr(gt, key) for gt in gts)) for key in ("image", "classes", "sub_boxes", "obj_boxes")
    ):
        raise EvaluationError(f"{what}: their annotations differ. Evaluate both with the same annotation file.")


def _class_differences(first: Analysis, second: Analysis) -> tuple[ClassDifference, ...]:
    """Both have the same ground truth, hence the same classes in the same order."""
    return tuple(
        ClassDifference(a.verb, a.object, a.num_gt, a.num_train, a.ap, b.ap)
        for a, b in zip(first.classes, second.classes, strict=True)
    )


def _changed_images(first: ImageBook, second: ImageBook, number: int) -> tuple[Pairs, Pairs]:
    """Images whose AP rose most, and fell most; among equals more triplets first."""
    # An image that one file does not name tells nothing about its model.
    gain = np.where(first.silent | second.silent, 0.0, second.ap - first.ap)

    def largest(change: np.ndarray) -> Pairs:
        images = np.flatnonzero(change > 0)
        order = np.lexsort((-first.num_gt[images], -change[images]))
        return tuple((first.case(i), second.case(i)) for i in images[order][:number].tolist())

    return largest(gain), largest(-gain)
