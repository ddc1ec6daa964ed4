"""What flows between encoder, queries and decoder."""

from dataclasses import dataclass, field

from torch import Tensor, nn

from .attention import AttentionRule


@dataclass
class Memory:
    """Encoded image tokens, read by every query set.

    Args:
        tokens (Tensor): (B, S, D), row-major over the feature map.
        pos (Tensor): (B, S, D) position encoding.
        padding_mask (Tensor, optional): (B, S) bool, True = padding; None when no image is padded.
        spatial_shape (tuple[int, int]): height and width of the feature map, S = height * width.
    """

    tokens: Tensor
    pos: Tensor
    padding_mask: Tensor | None
    spatial_shape: tuple[int, int]
    _projected: dict[nn.Module, list[tuple[Tensor, Tensor]]] = field(default_factory=dict, repr=False)

    def keys_values(self, decoder: nn.Module) -> list[tuple[Tensor, Tensor]]:
        """Keys and values of each cross-attention of ``decoder``: projected once, shared by all query sets."""
        if decoder not in self._projected:
            self._projected[decoder] = decoder.project(self.tokens, self.pos)
        return self._projected[decoder]


@dataclass
class QuerySet:
    """Queries that go through the decoder together.

    Args:
        content (Tensor): (B, N, D), the decoder's first input.
        pos (Tensor): (B, N, D), added wherever the content attends.
        padding_mask (Tensor, optional): (B, N) bool, True = padding.
        rule (AttentionRule, optional): what watches or masks the cross-attentions; None in inference.
        post_norm (bool): whether the decoder's shared norm acts on the states that the head reads.
    """

    content: Tensor
    pos: Tensor
    padding_mask: Tensor | None = None
    rule: AttentionRule | None = None
    post_norm: bool = True
