"""CLIP's two towers (Radford et al., ICML 2021), vision transformers only, with OpenAI's parameter names."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

HEAD_WIDTH = 64  # of every attention head in all published models


@dataclass(frozen=True)
class CLIPSize:
    """Widths and depths.

    Args:
        image_size, patch_size (int): pixels; the image is square.
        vision_width, vision_layers (int): c, and number of blocks of the image tower.
        text_width, text_layers (int): likewise of the text tower.
        embed_dims (int): e, of the joint space.
        context_length, vocab_size (int): longest prompt in tokens, number of tokens.
    """

    image_size: int = 224
    patch_size: int = 32
    vision_width: int = 768
    vision_layers: int = 12
    text_width: int = 512
    text_layers: int = 12
    embed_dims: int = 512
    context_length: int = 77
    vocab_size: int = 49408

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> "CLIPSize":
        """Sizes of the model that a state dict with OpenAI's names belongs to."""
        width, _, patch, _ = state["visual.conv1.weight"].shape
        grid = round((len(state["visual.positional_embedding"]) - 1) ** 0.5)
        vocab_size, text_width = state["token_embedding.weight"].shape
        return cls(
            image_size=grid * patch,
            patch_size=patch,
            vision_width=width,
            vision_layers=_depth(state, "visual.transformer.resblocks."),
            text_width=text_width,
            text_layers=_depth(state, "transformer.resblocks."),
            embed_dims=state["visual.proj"].shape[1],
            context_length=len(state["positional_embedding"]),
            vocab_size=vocab_size,
        )


NAMED_SIZES = {
    "ViT-B/32": CLIPSize(),
    "ViT-B/16": CLIPSize(patch_size=16),
    "ViT-L/14": CLIPSize(
        patch_size=14, vision_width=1024, vision_layers=24, text_width=768, text_layers=12, embed_dims=768
    ),
}


class QuickGELU(nn.Module):
    """``x * sigmoid(1.702 x)``, the approximation of GELU that the weights were trained with."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return x * torch.sigmoid(1.702 * x)


class ResidualAttentionBlock(nn.Module):
    """Pre-norm transformer block of width D."""

    def __init__(self, width: int):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, max(width // HEAD_WIDTH, 1), batch_first=True)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            OrderedDict(c_fc=nn.Linear(width, 4 * width), gelu=QuickGELU(), c_proj=nn.Linear(4 * width, width))
        )
        self.ln_2 = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """(B, T, D) and (T, T) bool, True = may not attend, or None -> (B, T, D)."""
        normed = self.ln_1(tokens)
        tokens = tokens + self.attn(normed, normed, normed, attn_mask=mask, need_weights=False)[0]
        return tokens + self.mlp(self.ln_2(tokens))


class Transformer(nn.Module):
    """Stack of blocks."""

    def __init__(self, width: int, layers: int):
        super().__init__()
        self.resblocks = nn.ModuleList([ResidualAttentionBlock(width) for _ in range(layers)])

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """As in :class:`ResidualAttentionBlock`."""
        for block in self.resblocks:
            tokens = block(tokens, mask)
        return tokens


class VisionTower(BaseModule):
    """Image tower that returns all tokens, each through ``ln_post``.

    Args:
        size (CLIPSize): widths and depths.
        init_cfg (dict, optional): as in mmengine.
    """

    def __init__(self, size: CLIPSize, init_cfg: dict | None = None):
        super().__init__(init_cfg)
        self.size = size
        width, patch = size.vision_width, size.patch_size
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        num_tokens = (size.image_size // patch) ** 2 + 1
        self.class_embedding = nn.Parameter(width**-0.5 * torch.randn(width))
        self.positional_embedding = nn.Parameter(width**-0.5 * torch.randn(num_tokens, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, size.vision_layers)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(width**-0.5 * torch.randn(width, size.embed_dims))

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 3, S, S), normalised as CLIP wants them -> tokens (B, 1 + P, c), the class token first.

        Hugging Face's ``CLIPVisionModel`` applies the last norm to the class token only, OpenAI's model drops the
        other tokens; HOICLIP needs them all, normed.
        """
        patches = self.conv1(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_embedding.expand(len(images), 1, -1).to(patches.dtype), patches], 1)
        return self.ln_post(self.transformer(self.ln_pre(tokens + self.positional_embedding)))

    def embed(self, images: Tensor) -> Tensor:
        """Images (B, 3, S, S) -> image embeddings (B, e), not normalised."""
        return self(images)[:, 0] @ self.proj


class CLIP(BaseModule):
    """Image and text tower. Official checkpoints load by name.

    Args:
        size (CLIPSize): widths and depths.
        init_cfg (dict, optional): as in mmengine.
    """

    def __init__(self, size: CLIPSize, init_cfg: dict | None = None):
        super().__init__(init_cfg)
        self.size = size
        self.visual = VisionTower(size)
        self.transformer = Transformer(size.text_width, size.text_layers)
        self.token_embedding = nn.Embedding(size.vocab_size, size.text_width)
        self.positional_embedding = nn.Parameter(0.01 * torch.randn(size.context_length, size.text_width))
        self.ln_final = nn.LayerNorm(size.text_width)
        self.text_projection = nn.Parameter(size.text_width**-0.5 * torch.randn(size.text_width, size.embed_dims))
        self.logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log())

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> "CLIP":
        """The model that a state dict belongs to, in evaluation mode, without gradients.

        Args:
            state (Mapping[str, Tensor]): as :func:`~.sources.read_clip` returns it.
        """
        model = cls(CLIPSize.of_state(state))
        model.load_state_dict(state)
        return model.eval().requires_grad_(False)

    def encode_text(self, tokens: Tensor) -> Tensor:
        """Token ids (N, T), T <= context length, padded at the right -> text embeddings (N, e), not normalised.

        The feature is taken at the first end-of-text token, which has the largest id. Attention is causal, so what
        stands behind it, and how long the padding is, has no effect.
        """
        length = tokens.shape[1]
        mask = torch.ones(length, length, dtype=torch.bool, device=tokens.device).triu(1)
        states = self.transformer(self.token_embedding(tokens) + self.positional_embedding[:length], mask)
        ends = tokens.argmax(1)
        return self.ln_final(states[torch.arange(len(tokens), device=tokens.device), ends]) @ self.text_projection

    def text_features(self, tokens: Tensor, batch_size: int = 128) -> Tensor:
        """As :meth:`encode_text` in batches, without gradients, normalised to length 1: (N, e)."""
        if not len(tokens):
            return self.text_projection.new_zeros(0, self.size.embed_dims)
        with torch.no_grad():
            features = [self.encode_text(part) for part in tokens.split(batch_size)]
        return F.normalize(torch.cat(features), dim=-1)


def _depth(state: Mapping[str, Tensor], prefix: str) -> int:
    return 1 + max(int(name[len(prefix) :].split(".")[0]) for name in state if name.startswith(prefix))
