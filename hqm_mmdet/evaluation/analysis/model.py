"""What an analysis holds: plain values, nothing that computes.

All scores, recalls and APs are fractions; boxes are x1, y1, x2, y2 in pixels of the original image.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..functional import ErrorGain

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class MetricValue:
    """A number of the evaluation.

    Args:
        key (str): with its prefix, e.g. ``hico/full``.
        value (float): NaN where the set holds no class with ground truth.
        low, high (float, optional): 95 % confidence interval; None without resampling, or without value.
    """

    key: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, eq=False)
class ClassRow:
    """One class of the metric: a triplet (HICO-DET, toy, own data), a verb (HOI-A), an action's role (V-COCO).

    Args:
        verb (str): name; of V-COCO the role, e.g. ``hit_instr``.
        object (str, optional): name of the object class; None where the metric's classes have none.
        num_gt (int): ground-truth instances in the evaluated images.
        num_train (int, optional): instances in the training annotations; None if they are not at hand.
        ap, max_recall (float): as the metric computes them.
        recall, precision (ndarray): (T,) at the true positives, in order of rank: the precision-recall curve.
        group (str, optional): ``rare`` or ``non-rare``; None where the data set has no such sets.
        unseen (bool): whether a zero-shot split keeps the class from training.
        other (Mapping[str, float]): further APs by name, e.g. ``known object``, ``scenario 2``.
    """

    verb: str
    object: str | None
    num_gt: int
    num_train: int | None
    ap: float
    max_recall: float
    recall: np.ndarray
    precision: np.ndarray
    group: str | None = None
    unseen: bool = False
    other: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``ride bicycle``."""
        return f"{self.verb} {self.object}" if self.object else self.verb


@dataclass(frozen=True)
class Triplet:
    """A labelled or predicted triplet of an image.

    Args:
        sub_box (Box): subject.
        obj_box (Box, optional): object; None if there is none.
        verb (str), object (str, optional): names.
        score (float, optional): of a prediction.
        verdict (str): labelled: ``found`` or ``not found``; predicted: ``right`` or the kind of error.
    """

    sub_box: Box
    obj_box: Box | None
    verb: str
    object: str | None
    score: float | None
    verdict: str


@dataclass(frozen=True)
class ImageCase:
    """One image with its verdicts.

    Args:
        file_name (str): as in the annotation file.
        ap (float): average precision of the image alone, all its candidates in one ranking.
        num_gt, num_found (int): labelled triplets, and those found at any rank.
        labelled (tuple[Triplet, ...]): all.
        predicted (tuple[Triplet, ...]): the best, in descending score order.
    """

    file_name: str
    ap: float
    num_gt: int
    num_found: int
    labelled: tuple[Triplet, ...]
    predicted: tuple[Triplet, ...]


@dataclass(frozen=True)
class Interactiveness:
    """How well pairs that interact are told from pairs that do not, and what suppression made of it.

    Args:
        mean, interactive, non_interactive (float): TIN's binary mAP and its two APs; NaN without a pair of the kind.
        num_pairs, num_interactive (int): judged pairs, and those of them that a labelled pair matches.
        num_right, num_wrong (int): suppressed pairs that no labelled pair matches, and that one does.
    """

    mean: float
    interactive: float
    non_interactive: float
    num_pairs: int
    num_interactive: int
    num_right: int
    num_wrong: int


@dataclass(frozen=True, eq=False)
class Analysis:
    """Everything about one prediction file.

    Args:
        name (str): of the run, as the reader knows it (file name).
        dataset (str): key of :data:`~hqm_mmdet.evaluation.offline.DATASETS`.
        protocol (str): conventions of the metric.
        num_images (int): evaluated images.
        missing (tuple[str, ...]): images that the file says nothing about.
        headline (str): key of the metric that ``errors`` explain, e.g. ``hico/full``.
        metrics (tuple[MetricValue, ...]): all metrics.
        classes (tuple[ClassRow, ...]): those that the metric averages, in the data set's order.
        errors (tuple[ErrorGain, ...]): mutually exclusive kinds, in the order of their definition.
        limits (tuple[ErrorGain, ...]): all false positives gone, all missed found: what each side costs at most.
        best, worst (tuple[ImageCase, ...]): images by ``ap``.
        notes (tuple[str, ...]): what the reader should know, e.g. that training counts are not at hand.
        warnings (tuple[str, ...]): what makes the numbers doubtful; ``notes`` hold it too.
        unknown (tuple[str | int, ...]): images of the file that were left out.
        interactiveness (Interactiveness, optional): where the file says which pairs interact.
    """

    name: str
    dataset: str
    protocol: str
    num_images: int
    missing: tuple[str, ...]
    headline: str
    metrics: tuple[MetricValue, ...]
    classes: tuple[ClassRow, ...]
    errors: tuple[ErrorGain, ...]
    limits: tuple[ErrorGain, ...]
    best: tuple[ImageCase, ...]
    worst: tuple[ImageCase, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unknown: tuple[str | int, ...] = ()
    interactiveness: Interactiveness | None = None


@dataclass(frozen=True)
class MetricDifference:
    """A metric in two runs.

    Args:
        key (str): e.g. ``hico/full``.
        first, second (float): values.
        low, high (float, optional): 95 % confidence interval of ``second - first`` from the same resamples of images.
    """

    key: str
    first: float
    second: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class ClassDifference:
    """AP of one class in two runs."""

    verb: str
    object: str | None
    num_gt: int
    num_train: int | None
    first: float
    second: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two runs on the same images; "better" means that the second one is.

    Args:
        first, second (Analysis): the runs.
        metrics (tuple[MetricDifference, ...]): all that both have.
        classes (tuple[ClassDifference, ...]): all.
        better, worse (tuple[tuple[ImageCase, ImageCase], ...]): images whose AP rose or fell most; (first, second).
    """

    first: Analysis
    second: Analysis
    metrics: tuple[MetricDifference, ...]
    classes: tuple[ClassDifference, ...]
    better: tuple[tuple[ImageCase, ImageCase], ...]
    worse: tuple[tuple[ImageCase, ImageCase], ...]
