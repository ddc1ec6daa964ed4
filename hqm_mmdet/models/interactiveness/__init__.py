"""Does a pair interact at all? Pair maps, the interactiveness network, what its answer does to a host's scores.

Knows pairs (boxes, labels, poses), not detectors.
"""

from .pair_maps import boxes_in_map, pair_maps

__all__ = ["boxes_in_map", "pair_maps"]
