"""Candidate pairs of a batch as padded tensors."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from hqm_mmdet.models.two_stage import InstanceError, Scene


@dataclass(frozen=True, eq=False)
class Candidates:
    """Instances of B images, padded to N, and which of them make pairs, padded to M.

    Args:
        boxes (Tensor): (B, N, 4) x1, y1, x2, y2 in pixels of the network's input.
        labels (Tensor): (B, N) long.
        scores (Tensor): (B, N).
        features (Tensor): (B, N, D).
        absent (Tensor): (B, N) bool, True beyond an image's number of instances.
        sub, obj (Tensor): (B, M) long, rows of the instances.
        padding_mask (Tensor): (B, M) bool, True beyond an image's number of pairs.
        sizes (Tensor): (B, 2) width and height of the images without padding, pixels.
    """

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    features: Tensor
    absent: Tensor
    sub: Tensor
    obj: Tensor
    padding_mask: Tensor
    sizes: Tensor

    def of_pairs(self, who: str, values: Tensor) -> Tensor:
        """Values (B, N, ...) of instances -> (B, M, ...) of the pairs' ``sub`` or ``obj``."""
        return values[self._image, getattr(self, who)]

    def of_both(self, values: Tensor) -> Tensor:
        """Values (B, N, N, ...) of ordered instances -> (B, M, ...) of (subject, object)."""
        return values[self._image, self.sub, self.obj]

    @property
    def obj_labels(self) -> Tensor:
        """(B, M) long."""
        return self.of_pairs("obj", self.labels)

    @property
    def pair_scores(self) -> Tensor:
        """(B, M) products of both detection scores."""
        return self.of_pairs("sub", self.scores) * self.of_pairs("obj", self.scores)

    @property
    def counts(self) -> list[int]:
        """Pairs of each image."""
        return (~self.padding_mask).sum(1).tolist()

    @property
    def _image(self) -> Tensor:
        return torch.arange(len(self.boxes), device=self.boxes.device)[:, None]


def pair_up(scenes: Sequence[Scene], subject_label: int = 0) -> Candidates:
    """Every person with every other instance, persons too.

    Args:
        scenes (Sequence[Scene]): what was found in each image.
        subject_label (int): label of persons. Default: 0.
    """
    return candidates_of(scenes, [persons_with_others(scene.instances.labels, subject_label) for scene in scenes])


def persons_with_others(labels: Tensor, subject_label: int = 0) -> Tensor:
    """(2, M) long, rows of all ordered pairs that begin with a person, of instances with labels (N,)."""
    other = ~torch.eye(labels.shape[0], device=labels.device).bool()
    return ((labels == subject_label)[:, None] & other).nonzero().T


def candidates_of(scenes: Sequence[Scene], pairs: Sequence[Tensor]) -> Candidates:
    """Candidates of chosen pairs, (2, M) long rows of each scene's instances.

    Raises:
        InstanceError: scenes have features of different width.
    """
    widths = {scene.instances.features.shape[1] for scene in scenes}
    if len(widths) > 1:
        raise InstanceError(f"Instances of one batch have features of different width: {sorted(widths)}.")
    found = [scene.instances for scene in scenes]
    counts = torch.tensor([len(each) for each in found])
    num_pairs = torch.tensor([each.shape[1] for each in pairs])
    device = found[0].bboxes.device
    # A batch without instances or pairs has an absent one, so that no softmax is empty.
    most, most_pairs = (max(int(each.max()), 1) for each in (counts, num_pairs))
    sizes = [(width, height) for height, width in (scene.size for scene in scenes)]

    fields = ("bboxes", "labels", "scores", "features")
    boxes, labels, scores, features = (_padded([each[name] for each in found], most) for name in fields)
    rows = _padded([each.T for each in pairs], most_pairs)
    return Candidates(
        boxes=boxes.float(),
        labels=labels,
        scores=scores.float(),
        features=features,
        absent=(torch.arange(most) >= counts[:, None]).to(device),
        sub=rows[..., 0],
        obj=rows[..., 1],
        padding_mask=(torch.arange(most_pairs) >= num_pairs[:, None]).to(device),
        sizes=found[0].bboxes.new_tensor(sizes, dtype=torch.float32),
    )


def _padded(values: Sequence[Tensor], length: int) -> Tensor:
    """Values (n, ...) of images as (B, length, ...)."""
    padded = pad_sequence(list(values), batch_first=True)
    return padded if padded.shape[1] else padded.new_zeros(len(values), length, *padded.shape[2:])
