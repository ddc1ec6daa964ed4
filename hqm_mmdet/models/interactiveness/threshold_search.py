"""Thresholds of every object class, chosen on held-out training images."""

from dataclasses import dataclass

import numpy as np

from .interactiveness_head import INTERACTIVE, NON_INTERACTIVE
from .suppression import SuppressionThresholds

ABOVE = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 1.0)
BELOW = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)


@dataclass(frozen=True)
class ThresholdSearch:
    """Grid search: as many pairs off every label as possible suppressed, as few labelled ones as possible.

    A pair of thresholds is worth the suppressed pairs that match no label less ``cost`` times those that match one. Of
    equals the most careful pair wins, and the one of the default is kept if nothing is better. A rare class, one with
    fewer than ``min_pairs`` labelled pairs, keeps the default: TIN's authors leave rare classes out, since a threshold
    that fits three examples says nothing.

    Args:
        cost (float): of a wrong suppression in right ones. Default: 10.
        min_pairs (int): see above. Default: 10, HICO-DET's definition of rare.
        default (SuppressionThresholds): of the classes that keep it. Default: 0.9 and 0.1.
    """

    cost: float = 10.0
    min_pairs: int = 10
    default: SuppressionThresholds = SuppressionThresholds()

    def __call__(self, scores: np.ndarray, obj_labels: np.ndarray, interactive: np.ndarray) -> SuppressionThresholds:
        """Thresholds per object class.

        Args:
            scores (ndarray): (P, 2) probabilities of all pairs of the held-out images.
            obj_labels (ndarray): (P,) int.
            interactive (ndarray): (P,) bool, see :func:`~hqm_mmdet.evaluation.functional.interactive_pairs`.
        """
        per_class = dict(self.default.per_class)
        for label in np.unique(obj_labels[interactive]).tolist():
            rows = obj_labels == label
            if interactive[rows].sum() >= self.min_pairs:
                per_class[int(label)] = self._best(scores[rows], interactive[rows])
        return SuppressionThresholds(self.default.above, self.default.below, per_class)

    def _best(self, scores: np.ndarray, interactive: np.ndarray) -> tuple[float, float]:
        grid = [(self.default.above, self.default.below)]
        grid += sorted(((a, b) for a in ABOVE for b in BELOW), key=lambda pair: (-pair[0], pair[1]))
        worth = [self._worth(scores, interactive, *pair) for pair in grid]
        return grid[int(np.argmax(worth))]

    def _worth(self, scores: np.ndarray, interactive: np.ndarray, above: float, below: float) -> float:
        dropped = (scores[:, NON_INTERACTIVE] > above) & (scores[:, INTERACTIVE] < below)
        return float((dropped & ~interactive).sum() - self.cost * (dropped & interactive).sum())
