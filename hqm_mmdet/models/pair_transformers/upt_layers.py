"""UPT's layers: instances that exchange messages, products of branches, pair tokens that compete."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hqm_mmdet.models.layers import AttentionRecorder, AttentionRule

from .attention import FeedForward, SplitAttention

EPS = 1e-12  # of the norms after UPT's feed-forward layers and in its competitive layer


class CooperativeLayer(nn.Module):
    """Every instance gets messages from all, itself too, that depend on how both boxes lie (UPT, section 3.2).

    Heads are modules of their own, as in official checkpoints, and computed together.

    Args:
        embed_dims (int): D, of instances. Default: 256.
        pair_dims (int): R, of pairs of boxes. Default: 512.
        num_heads (int): Default: 8.
        hidden_dims (int): of the feed-forward layer. Default: 1024.
        dropout (float): of both residual branches. Default: 0.1.
    """

    def __init__(
        self,
        embed_dims: int = 256,
        pair_dims: int = 512,
        num_heads: int = 8,
        hidden_dims: int = 1024,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.num_heads, width = num_heads, pair_dims // num_heads
        self.unary, self.pairwise = nn.Linear(embed_dims, pair_dims), nn.Linear(pair_dims, pair_dims)
        self.attn = nn.ModuleList(nn.Linear(3 * width, 1) for _ in range(num_heads))
        self.message = nn.ModuleList(nn.Linear(width, width) for _ in range(num_heads))
        self.aggregate, self.norm = nn.Linear(pair_dims, embed_dims), nn.LayerNorm(embed_dims)
        self.dropout = nn.Dropout(dropout)
        self.ffn = FeedForward(embed_dims, hidden_dims, nn.GELU(), dropout, eps=EPS)

    def forward(self, x: Tensor, pairs: Tensor, absent: Tensor) -> Tensor:
        """Instances (B, N, D) after the messages.

        Args:
            x (Tensor): (B, N, D).
            pairs (Tensor): (B, N, N, R) of ordered pairs, the sender along dimension 1.
            absent (Tensor): (B, N) bool; they send to nobody but themselves, so that no softmax is empty.
        """
        unary = F.relu(self.unary(x)).unflatten(-1, (self.num_heads, -1))  # (B, N, H, C)
        pairs = F.relu(self.pairwise(pairs)).unflatten(-1, (self.num_heads, -1))  # (B, N, N, H, C)
        weights = self.weights(unary, pairs, absent)
        # Weights of a receiver sum to 1, so the messages' layer can follow the sum.
        gathered = torch.einsum("bijh,bihc,bijhc->bjhc", weights, unary, pairs)
        matrices, biases = (torch.stack([getattr(head, name) for head in self.message]) for name in ("weight", "bias"))
        messages = torch.einsum("bjhc,hdc->bjhd", gathered, matrices) + biases
        x = self.norm(x + self.dropout(self.aggregate(F.relu(messages.flatten(2)))))
        return self.ffn(x)

    def weights(self, unary: Tensor, pairs: Tensor, absent: Tensor) -> Tensor:
        """(B, sender, receiver, H) attention weights."""
        vectors = torch.cat([head.weight for head in self.attn]).chunk(3, 1)  # (H, C) of sender, receiver, pair
        sender, receiver, both = (
            (values * vector).sum(-1) for values, vector in zip((unary, unary, pairs), vectors, strict=True)
        )
        logits = sender[:, :, None] + receiver[:, None] + both + torch.cat([head.bias for head in self.attn])
        itself = torch.eye(absent.shape[1], device=absent.device).bool()
        hidden = absent[:, :, None] & ~itself
        return logits.masked_fill(hidden[..., None], float("-inf")).softmax(1)


class MultiBranchFusion(nn.Module):
    """Sum over branches of products of two inputs (UPT's multi-branch fusion); branches are computed together.

    Args:
        appearance_dims, spatial_dims (int): of both inputs.
        out_dims (int): of the result, a multiple of ``num_branches``.
        num_branches (int): Default: 16.
    """

    def __init__(self, appearance_dims: int, spatial_dims: int, out_dims: int, num_branches: int = 16):
        super().__init__()
        width = out_dims // num_branches
        self.fc_1 = nn.ModuleList(nn.Linear(appearance_dims, width) for _ in range(num_branches))
        self.fc_2 = nn.ModuleList(nn.Linear(spatial_dims, width) for _ in range(num_branches))
        self.fc_3 = nn.ModuleList(nn.Linear(width, out_dims) for _ in range(num_branches))

    def forward(self, appearance: Tensor, spatial: Tensor) -> Tensor:
        """(..., A) and (..., S) -> (..., out_dims)."""
        product = F.relu(_joined(self.fc_1, appearance) * _joined(self.fc_2, spatial))
        matrix = torch.cat([branch.weight for branch in self.fc_3], 1)
        return F.relu(F.linear(product, matrix, sum(branch.bias for branch in self.fc_3)))


def _joined(branches: nn.ModuleList, x: Tensor) -> Tensor:
    weight, bias = (torch.cat([getattr(branch, name) for branch in branches]) for name in ("weight", "bias"))
    return F.linear(x, weight, bias)


class CompetitiveLayer(nn.Module):
    """A post-norm encoder layer on the pair tokens of an image (UPT, section 3.3).

    Args:
        embed_dims, hidden_dims (int): widths. Default: 1024, 2048.
        num_heads (int): Default: 8.
        dropout (float): of weights and residual branches. Default: 0.1.
    """

    def __init__(self, embed_dims: int = 1024, hidden_dims: int = 2048, num_heads: int = 8, dropout: float = 0.1):
        super().__init__()
        self.attention = SplitAttention(embed_dims, num_heads, dropout)
        self.norm = nn.LayerNorm(embed_dims, eps=EPS)
        self.ffn = FeedForward(embed_dims, hidden_dims, nn.GELU(), dropout, eps=EPS)

    def forward(
        self,
        tokens: Tensor,
        source: Tensor,
        mask: Tensor,
        rule: AttentionRule | None = None,
        recorder: AttentionRecorder | None = None,
    ) -> Tensor:
        """Tokens (B, M, E) after looking at ``source`` (B, S, E), which are usually the tokens themselves.

        Args:
            tokens, source (Tensor): pair tokens.
            mask (Tensor): broadcastable to (B, H, M, S), True = may attend.
            rule, recorder (optional): of the query set, see :class:`~hqm_mmdet.models.layers.AMMAttention`.
        """
        keys_values = self.attention.keys_values(source)
        return self.ffn(self.norm(self.attention(tokens, keys_values, None, mask, rule, recorder)))
