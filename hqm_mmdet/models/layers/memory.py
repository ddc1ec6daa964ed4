"""What flows between encoder, queries and decoder."""

from dataclasses import dataclass, field

from torch import Tensor

from .attention import AttentionRecorder, AttentionRule


@dataclass
class ProjectedMemory:
    """Image tokens as the cross-attentions of one decoder read them; projected once, shared by all query sets.

    Args:
        keys_values (list[tuple[Tensor, Tensor]]): keys and values of each layer, (B, H, S, D/H) each.
        mask (Tensor, optional): (B, 1, 1, S) bool, True = may attend; None when no image is padded.
    """

    keys_values: list[tuple[Tensor, Tensor]]
    mask: Tensor | None


@dataclass
class Memory:
    """Encoded image tokens, read by every query set.

    Args:
        tokens (Tensor): (B, S, D), row-major over the feature map.
        pos (Tensor): (B, S, D) position encoding.
        padding_mask (Tensor, optional): (B, S) bool, True = padding; None when no image is padded.
        spatial_shape (tuple[int, int]): height and width of the feature map, S = height * width.
        projected (dict[str, ProjectedMemory]): the tokens as each of the detector's decoders reads them, by its name.
    """

    tokens: Tensor
    pos: Tensor
    padding_mask: Tensor | None
    spatial_shape: tuple[int, int]
    projected: dict[str, ProjectedMemory] = field(default_factory=dict)


@dataclass
class QuerySet:
    """Queries that go through the decoder together.

    Args:
        content (Tensor): (B, N, D), the decoder's first input.
        pos (Tensor): (B, N, D), added wherever the content attends.
        padding_mask (Tensor, optional): (B, N) bool, True = padding.
        rule (AttentionRule, optional): what masks the cross-attentions; None in inference.
        recorder (AttentionRecorder, optional): what watches the cross-attentions; None in inference.
        post_norm (bool): whether the decoder's shared norm acts on the states that the head reads.
    """

    content: Tensor
    pos: Tensor
    padding_mask: Tensor | None = None
    rule: AttentionRule | None = None
    recorder: AttentionRecorder | None = None
    post_norm: bool = True
