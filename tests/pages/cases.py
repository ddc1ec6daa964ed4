"""Constructed analyses for pages; values are made up, and one class has a name that would run as script."""

from dataclasses import replace

import numpy as np

from hqm_mmdet.evaluation.analysis import (
    Analysis,
    ClassDifference,
    ClassRow,
    Comparison,
    ImageCase,
    MetricDifference,
    MetricValue,
    Triplet,
)
from hqm_mmdet.evaluation.functional import ErrorGain

HOSTILE = "<script>alert(1)</script>"
VERBS = ("ride", "hold", "sit_on", "wash", HOSTILE)
OBJECTS = ("bicycle", "horse", "cup", "</script><b>bold", "car")
ERRORS = (
    ("duplicate", 40, 0.004), ("verb", 310, 0.061), ("object class", 90, 0.022), ("association", 25, 0.003),
    ("object box", 120, 0.035), ("subject box", 60, 0.012), ("several", 200, 0.018), ("background", 900, 0.027),
    ("missed", 150, 0.083),
)  # fmt: skip


def class_row(i: int, rng: np.random.RandomState) -> ClassRow:
    """The i-th class; every seventh has no true positive, the last of each ten no ground truth."""
    num_gt, num_train = int(rng.randint(1, 60)), int(10 ** rng.uniform(0, 3.5))
    hits = 0 if i % 7 == 3 else int(rng.randint(1, num_gt + 1))
    ranks = np.sort(rng.permutation(3 * num_gt)[:hits]) + 1
    recall, precision = np.arange(1, hits + 1) / num_gt, np.arange(1, hits + 1) / ranks
    ap = float("nan") if i % 10 == 9 else float(precision.sum() / num_gt)
    return ClassRow(
        verb=f"{VERBS[i % 5]}{'' if i < 25 else i // 25}",
        object=OBJECTS[i // 5 % 5],
        num_gt=num_gt,
        num_train=num_train,
        ap=ap,
        max_recall=hits / num_gt,
        recall=recall,
        precision=precision,
        group="rare" if num_train < 10 else "non-rare",
        other={"known object": min(1.0, 1.1 * ap)},
    )


def image_case(i: int, ap: float, file_name: str = "") -> ImageCase:
    """Two labelled triplets of one pair and one of another, one found; four predicted."""
    sub, obj = (20.0 + i, 10.0, 90.0, 190.0), (60.0, 80.0, 180.0, 200.0)
    labelled = (
        Triplet(sub, obj, "ride", "bicycle", None, "found"),
        Triplet(sub, obj, HOSTILE, "bicycle", None, "not found"),
        Triplet((150, 20, 230, 220), None, "wave", None, None, "not found"),
    )
    predicted = (
        Triplet((22, 12, 92, 188), (58, 82, 178, 199), "ride", "bicycle", 0.91, "right"),
        Triplet((22, 12, 92, 188), (58, 82, 178, 199), "hold", "bicycle", 0.55, "verb"),
        Triplet((40, 30, 120, 188), (58, 82, 178, 199), "ride", "bicycle", 0.32, "duplicate"),
        Triplet((150, 20, 170, 60), None, "wave", None, 0.05, "subject box"),
    )
    return ImageCase(file_name or f"image_{i}.png", ap, 3, 1, labelled, predicted)


def make_analysis(num_classes: int = 40, name: str = "run A", seed: int = 0) -> Analysis:
    """A run with three best and three worst images."""
    rng = np.random.RandomState(seed)
    rows = tuple(class_row(i, rng) for i in range(num_classes))
    value = float(np.nanmean([row.ap for row in rows]))
    return Analysis(
        name=name,
        dataset="hico",
        protocol="qpic",
        num_images=120,
        missing=("lost.jpg",),
        headline="hico/full",
        metrics=(
            MetricValue("hico/full", value, value - 0.02, value + 0.015),
            MetricValue("hico/rare", float("nan")),
            MetricValue("hico/ko_full", value + 0.03, value + 0.01, value + 0.05),
        ),
        classes=rows,
        errors=tuple(ErrorGain(*error) for error in ERRORS),
        limits=(ErrorGain("all false positives", 1745, 0.21), ErrorGain("all missed", 150, 0.3)),
        best=tuple(image_case(i, 1 - 0.1 * i) for i in range(3)),
        worst=(image_case(3, 0.3), image_case(4, 0.4), image_case(5, 0.5, f"folder/{'long' * 12}.png")),
        notes=(f"a note about {HOSTILE}",),
    )


def make_comparison(num_classes: int = 40) -> Comparison:
    """Two runs: the first metric better, the second not there, the third worse."""
    first, second = make_analysis(num_classes, "run A"), make_analysis(num_classes, "run B", seed=1)
    changes = ((0.01, 0.03), (None, None), (-0.04, -0.01))
    metrics = tuple(
        MetricDifference(a.key, a.value, b.value, *change)
        for a, b, change in zip(first.metrics, second.metrics, changes, strict=True)
    )
    classes = tuple(
        ClassDifference(a.verb, a.object, a.num_gt, a.num_train, a.ap, b.ap)
        for a, b in zip(first.classes, second.classes, strict=True)
    )
    pair = image_case(7, 0.2), replace(image_case(7, 0.9), num_found=2)
    return Comparison(first, second, metrics, classes, better=(pair,), worse=())
