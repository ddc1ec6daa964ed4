"""What flows in detectors whose pairs point to detected instances."""

from dataclasses import dataclass

from torch import Tensor

from .memory import Memory


@dataclass
class Instances:
    """Boxes that a detector found, read by all query sets.

    Args:
        embeddings (Tensor): (B, I, D) of the last layer, length 1: what pointers are compared with.
        logits (Tensor): (L', B, I, K), the last column is "no object".
        boxes (Tensor): (L', B, I, 4) centre x, centre y, width, height in [0, 1] relative to the image.
    """

    embeddings: Tensor
    logits: Tensor
    boxes: Tensor


@dataclass
class InstanceMemory(Memory):
    """Image tokens and the instances in them."""

    instances: Instances | None = None


@dataclass
class PointerStates:
    """What a pointing head reads.

    Args:
        queries (Tensor): (L, B, N, D) decoder states of the queries.
        instances (Instances): where they may point to.
    """

    queries: Tensor
    instances: Instances
