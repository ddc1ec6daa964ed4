"""Pairs of a video: which ones of two frames are the same, and scores that do not flicker."""

import numpy as np
import torch
from mmengine.structures import InstanceData

from hqm_mmdet.visualization.repeats import overlaps


class PairTracker:
    """Links pairs of consecutive frames, and averages their verb scores over time if asked to.

    Pairs of the same object class are linked if the smaller IoU of their subject and object boxes (of the subjects
    where there is no object) reaches ``min_iou``, the best overlap first. A linked pair's scores become ``smoothing *
    former + (1 - smoothing) * new``, an exponential average; a pair without a former one starts with its own scores,
    and one that is not found again is forgotten. Boxes are not smoothed. Only the last frame is kept.

    Args:
        absent_label (int): label of an absent object, the number of object classes.
        smoothing (float): weight of the past, in [0, 1); 0 leaves scores as they are. Default: 0.0.
        min_iou (float): overlap that two frames' boxes of a pair need. Default: 0.3.

    Raises:
        ValueError: an option is outside of its limits.
    """

    def __init__(self, absent_label: int, smoothing: float = 0.0, min_iou: float = 0.3):
        if not (0 <= smoothing < 1 and 0 < min_iou <= 1):
            raise ValueError(f"smoothing must be in [0, 1), min_iou in (0, 1]; got {smoothing} and {min_iou}.")
        self.absent_label = absent_label
        self.smoothing = smoothing
        self.min_iou = min_iou
        self._former: InstanceData | None = None
        self._next_id = 0

    def __call__(self, pairs: InstanceData) -> InstanceData:
        """The next frame's pairs with ``track_ids`` (Q,) long and averaged ``verb_scores``.

        Args:
            pairs (InstanceData): ``pred_pairs`` without repeats, see :func:`~hqm_mmdet.visualization.merge_repeats`.
        """
        tracked = pairs[torch.arange(len(pairs))]  # a copy, with tensors of its own
        links = self._link(pairs)
        ids = torch.arange(self._next_id, self._next_id + len(pairs))
        self._next_id += len(pairs)
        if links:
            old, new = torch.tensor(links).unbind(1)
            ids[new] = self._former.track_ids[old]
            past = self._former.verb_scores[old]
            tracked.verb_scores[new] = self.smoothing * past + (1 - self.smoothing) * pairs.verb_scores[new]
        tracked.track_ids = ids
        self._former = tracked
        return tracked

    def _link(self, pairs: InstanceData) -> list[tuple[int, int]]:
        """(former, new) rows, each at most once."""
        if self._former is None or not len(self._former) or not len(pairs):
            return []
        overlap = overlaps(self._former, pairs, self.absent_label)
        old, new = np.nonzero(overlap >= self.min_iou)
        links, taken = [], (set(), set())
        # Greedy is enough: pairs that could be confused overlap, and those are merged before.
        for i in np.argsort(-overlap[old, new], kind="stable"):
            row = int(old[i]), int(new[i])
            if row[0] not in taken[0] and row[1] not in taken[1]:
                links.append(row)
                taken[0].add(row[0])
                taken[1].add(row[1])
        return links


class StableColours:
    """A colour number per track, for as long as it is shown without a gap; a new track gets the smallest free one."""

    def __init__(self):
        self._numbers: dict[int, int] = {}

    def __call__(self, track_ids: list[int]) -> dict[int, int]:
        """Numbers by track of what this frame shows."""
        known = {track: self._numbers[track] for track in track_ids if track in self._numbers}
        for track in track_ids:
            if track not in known:
                known[track] = next(n for n in range(len(known) + 1) if n not in known.values())
        self._numbers = known
        return known
