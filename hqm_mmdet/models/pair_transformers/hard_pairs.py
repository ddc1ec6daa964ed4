"""Hard positives (HQM) for candidate pairs: labelled pairs with shifted boxes, and masked copies of matched candidates.

Miners are those of the other detectors. What they call queries are candidate pairs here, and the one "matched" to a
labelled pair is the candidate that overlaps it best.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from hqm_mmdet.models.query_mining import HardQueries
from hqm_mmdet.models.task_modules import Assignment, PairTargets
from hqm_mmdet.models.two_stage import Scene
from hqm_mmdet.structures import cxcywh_to_xyxy

from .candidates import Candidates

MATCHED = 0.5  # least overlap
UNMATCHED_SCORE = 0.9  # of a labelled pair that no candidate overlaps


def best_candidates(overlaps: Sequence[Tensor], num_layers: int) -> Assignment:
    """The best candidate of every labelled pair that has one, the same for all layers.

    Args:
        overlaps (Sequence[Tensor]): (M, P) of each image, the smaller of both boxes' IoU.
        num_layers (int): L.
    """
    images, queries, targets = [], [], []
    for image, overlap in enumerate(overlaps):
        if not overlap.numel():
            continue
        best, query = overlap.max(0)
        target = (best >= MATCHED).nonzero()[:, 0]
        images.append(torch.full_like(target, image))
        queries.append(query[target])
        targets.append(target)
    nothing = torch.zeros(0, dtype=torch.long, device=overlaps[0].device)
    image, query, target = (torch.cat([*parts, nothing]) for parts in (images, queries, targets))
    return Assignment(image, query.expand(num_layers, -1), target.expand(num_layers, -1))


def shifted_candidates(
    hard: HardQueries,
    targets: PairTargets,
    scenes: Sequence[Scene],
    candidates: Candidates,
    matched: Assignment,
    subject_label: int = 0,
) -> Candidates:
    """A candidate per labelled pair, with shifted boxes; slot j of an image stands for its j-th pair.

    Instances are the two boxes of each pair alone, so that they meet neither the detector's nor wrong partners.
    Features are pooled or decoded anew where the detector can. Others, plain DETR among them, have those of the best
    candidate; a pair without one is left out. So are pairs without object.

    Args:
        hard (HardQueries): with ``sub_boxes``, ``obj_boxes`` (B, P, 4).
        targets (PairTargets): labelled pairs.
        scenes (Sequence[Scene]): of the learnable pass.
        candidates (Candidates): of the learnable pass.
        matched (Assignment): of :func:`best_candidates`.
        subject_label (int): label of persons. Default: 0.
    """
    num_pairs = hard.sub_boxes.shape[1]
    boxes = cxcywh_to_xyxy(torch.cat([hard.sub_boxes, hard.obj_boxes], 1)) * targets.sizes[:, None]
    scores = candidates.scores.new_full(boxes.shape[:2], UNMATCHED_SCORE)
    features = candidates.features.new_zeros(*boxes.shape[:2], candidates.features.shape[2])
    known = torch.zeros_like(targets.has_object)
    image, query, target = matched.image, matched.query[-1], matched.target[-1]
    known[image, target] = True
    for half, who in enumerate(("sub", "obj")):
        row = getattr(candidates, who)[image, query]
        scores[image, half * num_pairs + target] = candidates.scores[image, row]
        features[image, half * num_pairs + target] = candidates.features[image, row]
    labels = torch.cat([torch.full_like(targets.obj_labels, subject_label), _valid_labels(targets)], 1)
    for i, scene in enumerate(scenes):
        if scene.pool is not None:
            features[i] = scene.pool(boxes[i], labels[i]).to(features)
            known[i] = True
    valid = known & targets.has_object
    slots = torch.arange(num_pairs, device=boxes.device).expand(len(boxes), -1)
    return Candidates(
        boxes=boxes,
        labels=labels,
        scores=scores,
        features=features,
        absent=~valid.repeat(1, 2),
        sub=slots,
        obj=num_pairs + slots,
        padding_mask=~valid,
        sizes=candidates.sizes,
    )


def _valid_labels(targets: PairTargets) -> Tensor:
    """(B, P) object labels, 0 where there is no object."""
    return targets.obj_labels * targets.has_object


def positives(hard: HardQueries, shape: tuple[int, int]) -> Tensor:
    """(B, N) bool, which queries stand for a pair."""
    found = torch.zeros(shape, dtype=torch.bool, device=hard.assigned.image.device)
    found[hard.assigned.image, hard.assigned.query[-1]] = True
    return found if hard.padding_mask is None else found & ~hard.padding_mask


def of_sources(values: Tensor, hard: HardQueries) -> Tensor:
    """Values (B, M, V) of candidates -> (B, N, V) of the queries that copy them."""
    if hard.source is None:
        return values
    return values.gather(1, hard.source[..., None].expand(-1, -1, values.shape[-1]))
