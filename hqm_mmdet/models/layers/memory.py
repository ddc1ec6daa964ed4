"""What flows between encoder, queries and decoder."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
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
        pos (Tensor): (B, N, D), added wherever the content attends; (L, B, N, D) if it differs by decoder layer.
        padding_mask (Tensor, optional): (B, N) bool, True = padding.
        rule (AttentionRule, optional): what masks the cross-attentions; None in inference.
        recorder (AttentionRecorder, optional): what watches the cross-attentions; None in inference.
        post_norm (bool): whether the decoder's shared norm acts on the states that the head reads.
        groups (tuple[int, ...]): sizes of the query sets that it was joined from, see :func:`join_queries`; () for one.
    """

    content: Tensor
    pos: Tensor
    padding_mask: Tensor | None = None
    rule: AttentionRule | None = None
    recorder: AttentionRecorder | None = None
    post_norm: bool = True
    groups: tuple[int, ...] = ()


def learnable_query_set(pos: Tensor, batch_size: int) -> QuerySet:
    """Positions (N, D) that every image starts from, with zero content.

    Both are one image's, expanded, so that a decoder can see that they are the same for all.
    """
    pos = pos.expand(batch_size, -1, -1)
    return QuerySet(pos.new_zeros(()).expand_as(pos), pos)


def join_queries(sets: Sequence[QuerySet]) -> QuerySet:
    """Query sets side by side, for one pass through a decoder; none sees another, so each gets what it would alone.

    Args:
        sets (Sequence[QuerySet]): of the same images, without rule and recorder, with the same ``post_norm``.

    Returns:
        QuerySet: (B, sum of N, D).
    """
    if any(each.padding_mask is not None for each in sets):
        blank = [torch.zeros_like(each.content[..., 0], dtype=torch.bool) for each in sets]
        paddings = [b if each.padding_mask is None else each.padding_mask for each, b in zip(sets, blank, strict=True)]
        padding = torch.cat(paddings, 1)
    else:
        padding = None
    return QuerySet(
        torch.cat([each.content for each in sets], 1),
        torch.cat([each.pos for each in sets], -2),
        padding,
        post_norm=sets[0].post_norm,
        groups=tuple(each.content.shape[1] for each in sets),
    )


def visible_queries(queries: QuerySet) -> Tensor | None:
    """Who may look at whom in self-attention, bool, broadcastable to (B, H, N, N); None if all may.

    Queries see those of their own group. Padded ones are seen by nobody but themselves, so no row of the softmax is
    empty.
    """
    device, padding, visible = queries.content.device, queries.padding_mask, None
    if queries.groups:
        group = np.repeat(np.arange(len(queries.groups)), queries.groups)
        visible = torch.from_numpy(group[:, None] == group).to(device, non_blocking=True)
    if padding is not None:
        itself = torch.eye(padding.shape[1], device=device).bool()  # onnxruntime makes none of bool
        valid = ~padding[:, None, None]
        visible = (valid if visible is None else valid & visible) | itself
    return visible


def self_attend_mask(queries: QuerySet) -> Tensor | None:
    """The same as floats that are added to the logits: 0 where a query may look, else minus infinity.

    From a bool mask every layer would make this again.
    """
    visible = visible_queries(queries)
    if visible is None:
        return None
    return torch.zeros_like(visible, dtype=queries.content.dtype).masked_fill(~visible, float("-inf"))
