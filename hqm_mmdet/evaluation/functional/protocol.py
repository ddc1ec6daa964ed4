"""Evaluation protocols as values: every convention in which public HOI evaluators differ has a name.

| field                       | qpic  | ppdm | matlab | pocket   | hoia |
| --------------------------- | ----- | ---- | ------ | -------- | ---- |
| pixel_extent                | 1     | 1    | 1      | 0        | 0    |
| pred_shift                  | 0     | 1    | 1      | 0        | 0    |
| gt_corner_shift             | 0     | 0    | 0      | -1       | 0    |
| thin_boxes_match            | no    | no   | yes    | no       | no   |
| strict_threshold            | >=    | >=   | >=     | >        | >=   |
| takes_all_matches           | no    | no   | no     | no       | yes  |
| recall_thresholds           | numpy | numpy| MATLAB | linspace | area |
| compares_subject_labels     | yes   | yes  | no     | no       | yes  |
| skips_images_without_boxes  | yes   | no   | no     | no       | no   |

V-COCO's detections are matched by a rule of their own; :data:`VCOCO` holds its conventions for boxes and AP.
"""

from dataclasses import dataclass

import numpy as np

from hqm_mmdet.errors import ConfigError

# np.arange yields 0.30000000000000004, 0.6000000000000001 and 0.7000000000000001: a recall of exactly
# .3, .6 or .7 misses its threshold. Published "default" numbers carry this, so it must stay.
NUMPY_THRESHOLDS = tuple(np.arange(0, 1.1, 0.1).tolist())
# MATLAB's colon (and torch.linspace) counts from both ends, which leaves only .3 off.
MATLAB_THRESHOLDS = tuple([0.1 * k for k in range(6)] + [1 - 0.1 * k for k in range(4, -1, -1)])


@dataclass(frozen=True)
class EvalProtocol:
    """Conventions of one evaluator. Boxes are x1, y1, x2, y2 in pixels of the original image.

    Args:
        name (str): key in :data:`PROTOCOLS`.
        top_k (int, optional): candidates (pair, verb) kept per image; None keeps all. Default: 100.
        iou_threshold (float): what both boxes of a pair must reach. Default: 0.5.
        strict_threshold (bool): whether the overlap must exceed the threshold. Default: False.
        pixel_extent (float): added to the width and height of boxes and of their intersection; 1
            reads coordinates as inclusive pixel indices. Default: 1.
        thin_boxes_match (bool): whether an intersection with x1 >= x2 or y1 >= y2 (before the
            extent is added) may count. False means a box one pixel wide never matches.
        pred_shift (float): added to all four predicted coordinates. Default: 0.
        gt_corner_shift (float): added to x1, y1 of the ground truth. Default: 0.
        takes_all_matches (bool): whether a candidate takes every free ground truth that it overlaps enough (and
            counts as one true positive), instead of the one that it overlaps most. Default: False.
        recall_thresholds (tuple[float, ...] | None): recalls at which precision is read for AP; None takes the area
            under the interpolated curve.
        compares_subject_labels (bool): whether the subject's label is part of the triplet class.
        skips_images_without_boxes (bool): whether predictions of images without any annotated box
            vanish instead of counting as false positives. QPIC's evaluator looks such triplets up
            as lists among tuples and never finds them; kept for equal numbers.
        precision (str): floating-point type in which overlaps are computed. Default: 'float64'.
    """

    name: str
    top_k: int | None = 100
    iou_threshold: float = 0.5
    strict_threshold: bool = False
    pixel_extent: float = 1.0
    thin_boxes_match: bool = False
    pred_shift: float = 0.0
    gt_corner_shift: float = 0.0
    takes_all_matches: bool = False
    recall_thresholds: tuple[float, ...] | None = NUMPY_THRESHOLDS
    compares_subject_labels: bool = True
    skips_images_without_boxes: bool = False
    precision: str = "float64"

    def passes(self, overlap: np.ndarray) -> np.ndarray:
        """Whether overlaps (N,) reach the threshold."""
        return overlap > self.iou_threshold if self.strict_threshold else overlap >= self.iou_threshold


QPIC = EvalProtocol("qpic", skips_images_without_boxes=True)
"""hitachi-rd-cv/qpic ``hico_eval.py``; CDN, HOTR and HQM report this number as "default"."""

PPDM = EvalProtocol("ppdm", pred_shift=1.0)
"""YueLiao/PPDM ``hico_eval.py`` without its verb filter (harmless on HICO-DET)."""

MATLAB = EvalProtocol(
    "matlab",
    thin_boxes_match=True,
    pred_shift=1.0,
    recall_thresholds=MATLAB_THRESHOLDS,
    compares_subject_labels=False,
)
"""ywchao/ho-rcnn ``eval_one.m``, the official HICO-DET protocol, on the top 100 of each image."""

POCKET = EvalProtocol(
    "pocket",
    strict_threshold=True,
    pixel_extent=0.0,
    gt_corner_shift=-1.0,
    recall_thresholds=MATLAB_THRESHOLDS,
    compares_subject_labels=False,
)
"""fredzzhang/pocket, 11 points, as UPT and PViC use it, on the top 100 of each image."""

HOIA = EvalProtocol("hoia", pixel_extent=0.0, takes_all_matches=True, recall_thresholds=None)
"""YueLiao/PPDM ``hoia_eval.py`` for HOI-A, where a class is a verb; not one of HICO-DET's :data:`PROTOCOLS`."""

VCOCO = EvalProtocol("vcoco", top_k=None, thin_boxes_match=True, recall_thresholds=None, precision="float32")
"""s-gupta/v-coco ``vsrl_eval.py``, where a class is a role; it matches persons first (:func:`~.vcoco.rank_vcoco`)."""

PROTOCOLS = {p.name: p for p in (QPIC, PPDM, MATLAB, POCKET)}


def get_protocol(protocol: str | EvalProtocol) -> EvalProtocol:
    """Look a protocol up by name; a value passes through.

    Raises:
        ConfigError: unknown name.
    """
    if isinstance(protocol, EvalProtocol):
        return protocol
    if protocol not in PROTOCOLS:
        raise ConfigError(f"unknown protocol {protocol!r}; choose one of {sorted(PROTOCOLS)}.")
    return PROTOCOLS[protocol]
