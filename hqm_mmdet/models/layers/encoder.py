"""DETR's encoder with fused attention."""

from mmcv.cnn import build_norm_layer
from mmcv.cnn.bricks.transformer import FFN
from mmdet.models.layers import DetrTransformerEncoder, DetrTransformerEncoderLayer
from mmengine.model import ModuleList
from torch import Tensor

from hqm_mmdet.registry import MODELS

from .attention import FusedAttention, attend_mask
from .dropout import with_own_dropout


class HOIEncoderLayer(DetrTransformerEncoderLayer):
    """mmdet's post-norm encoder layer around :class:`FusedAttention`; arguments as there."""

    def _init_layers(self) -> None:
        self.self_attn = FusedAttention(**attention_args(self.self_attn_cfg))
        self.embed_dims = self.self_attn.embed_dims
        self.ffn = build_ffn(self.ffn_cfg)
        self.norms = ModuleList([build_norm_layer(self.norm_cfg, self.embed_dims)[1] for _ in range(2)])

    def forward(self, query: Tensor, query_pos: Tensor, mask: Tensor | None) -> Tensor:
        """Tokens and positions (B, S, D), mask (B, 1, 1, S) True = may attend -> tokens (B, S, D)."""
        query = self.norms[0](self.self_attn(query, query_pos=query_pos, mask=mask))
        return self.norms[1](self.ffn(query))


@MODELS.register_module()
class HOIEncoder(DetrTransformerEncoder):
    """Stack of :class:`HOIEncoderLayer`, no final norm (official DETR, post-norm).

    Args:
        num_layers (int): number of layers.
        layer_cfg (dict): arguments of each layer.
    """

    def _init_layers(self) -> None:
        self.layers = ModuleList([HOIEncoderLayer(**self.layer_cfg) for _ in range(self.num_layers)])
        self.embed_dims = self.layers[0].embed_dims

    def forward(self, query: Tensor, query_pos: Tensor, key_padding_mask: Tensor | None) -> Tensor:
        """Tokens and positions (B, S, D), padding mask (B, S) True = padding or None -> memory (B, S, D)."""
        mask = attend_mask(key_padding_mask)
        # no norm at the end: official DETR's encoder has one only in its pre-norm variant
        for layer in self.layers:
            query = layer(query, query_pos, mask)
        return query


def attention_args(cfg: dict) -> dict:
    """Attention config as mmdet's layers keep it, less ``batch_first``, which is the only layout here."""
    return {name: value for name, value in cfg.items() if name != "batch_first"}


def build_ffn(cfg: dict) -> FFN:
    """FFN with mmcv's default activation, but not in place, and with our dropout.

    A linear layer returns a view of what it computed, and to change a view costs three copies of the widest tensor of
    the layer in the backward pass. Out of place, nothing more is kept.
    """
    return with_own_dropout(FFN(**{"act_cfg": dict(type="ReLU"), **cfg}))
