"""A Swin block of the second version: attention in windows, by cosine, with a bias of continuous positions."""

import math

import torch
import torch.nn.functional as F
from mmcv.cnn.bricks import DropPath
from torch import Tensor, nn

KEEPS_APART = -100.0  # logit between regions that a cyclic shift has brought into one window


class WindowAttention(nn.Module):
    """Attention among the positions of a window (Swin Transformer V2, CVPR 2022, section 3.2).

    Args:
        embed_dims (int): D.
        num_heads (int): H.
        window (int): side of a window, positions.
        shift (int): by which windows are moved right and down.
    """

    def __init__(self, embed_dims: int, num_heads: int, window: int = 8, shift: int = 0):
        super().__init__()
        self.num_heads, self.window, self.shift = num_heads, window, shift
        self.logit_scale = nn.Parameter(torch.full((num_heads, 1, 1), math.log(10.0)))
        self.qkv, self.proj = nn.Linear(embed_dims, 3 * embed_dims), nn.Linear(embed_dims, embed_dims)
        self.cpb_mlp = nn.Sequential(nn.Linear(2, 512), nn.ReLU(inplace=True), nn.Linear(512, num_heads, bias=False))
        steps = torch.arange(-(window - 1), window, dtype=torch.float32) * (8 / max(window - 1, 1))
        steps = steps.sign() * (steps.abs() + 1).log2() / 3
        self.register_buffer("steps", torch.cartesian_prod(steps, steps), persistent=False)
        place = torch.arange(window)
        place = torch.cartesian_prod(place, place)
        apart = place[:, None] - place + window - 1  # (S, S, 2), query minus key
        self.register_buffer("index", apart[..., 0] * (2 * window - 1) + apart[..., 1], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, h, w, D) -> (B, h, w, D); the map is filled up with zeros to whole windows."""
        height, width = x.shape[1:3]
        x = F.pad(x, (0, 0, 0, -width % self.window, 0, -height % self.window))
        # A side that fits into one window is not shifted.
        shift = tuple(0 if side <= self.window else self.shift for side in x.shape[1:3])
        x = torch.roll(x, [-step for step in shift], (1, 2))
        windows, whole = self._windows(x), x.shape
        attended = self._attend(windows, self._regions(whole[1:3], shift, x.device))
        x = torch.roll(self._whole(attended, whole), shift, (1, 2))
        return x[:, :height, :width]

    def _attend(self, windows: Tensor, apart: Tensor | None) -> Tensor:
        """(B, W, S, D) -> (B, W, S, D)."""
        bias = self.qkv.bias.clone()
        bias[len(bias) // 3 : 2 * len(bias) // 3] = 0  # keys have none: a constant would not be seen by a cosine
        split = F.linear(windows, self.qkv.weight, bias).unflatten(-1, (3, self.num_heads, -1))
        q, k, v = split.permute(3, 0, 1, 4, 2, 5)  # (B, W, H, S, D/H)
        # In float32: keys of positions that fill up are zero, and half precision has no 1e-12 to divide them by.
        logits = F.normalize(q.float(), dim=-1) @ F.normalize(k.float(), dim=-1).transpose(-2, -1)
        logits = logits * self.logit_scale.clamp(max=math.log(100.0)).exp() + self.bias()
        if apart is not None:
            logits = logits + apart[:, None]
        attended = logits.softmax(-1).to(v.dtype) @ v
        return self.proj(attended.transpose(2, 3).flatten(3))

    def bias(self) -> Tensor:
        """(H, S, S) by how far a key is from its query."""
        return 16 * self.cpb_mlp(self.steps).sigmoid().T[:, self.index]

    def _windows(self, x: Tensor) -> Tensor:
        """(B, h, w, ...) -> (B, W, S, ...)."""
        x = x.unflatten(2, (-1, self.window)).unflatten(1, (-1, self.window))
        return x.transpose(2, 3).flatten(3, 4).flatten(1, 2)

    def _whole(self, windows: Tensor, shape: tuple[int, ...]) -> Tensor:
        """The reverse of :meth:`_windows`."""
        rows, columns = (side // self.window for side in shape[1:3])
        x = windows.unflatten(2, (self.window, self.window)).unflatten(1, (rows, columns))
        return x.transpose(2, 3).flatten(3, 4).flatten(1, 2)

    def _regions(self, size: tuple[int, int], shift: tuple[int, int], device: torch.device) -> Tensor | None:
        """(W, S, S) logits that keep regions apart; None without shift."""
        if not any(shift):
            return None
        parts = []
        for side, step in zip(size, shift, strict=True):
            place = torch.arange(side, device=device)
            parts.append((place >= side - self.window).int() + (place >= side - step).int() if step else 0 * place)
        regions = self._windows((3 * parts[0][:, None] + parts[1])[None])[0]
        return KEEPS_APART * (regions[:, :, None] != regions[:, None]).float()


class SwinBlock(nn.Module):
    """Window attention and two layers, each normalised before it is added.

    Args:
        embed_dims, num_heads, window, shift: as in :class:`WindowAttention`.
        drop_path (float): chance that an image skips a residual branch in training. Default: 0.0.
    """

    def __init__(self, embed_dims: int, num_heads: int, window: int = 8, shift: int = 0, drop_path: float = 0.0):
        super().__init__()
        self.attn = WindowAttention(embed_dims, num_heads, window, shift)
        self.norm1, self.norm2 = nn.LayerNorm(embed_dims), nn.LayerNorm(embed_dims)
        self.fc1, self.fc2 = nn.Linear(embed_dims, 4 * embed_dims), nn.Linear(4 * embed_dims, embed_dims)
        self.drop_path = DropPath(drop_path)
        for layer in (self.fc1, self.fc2):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.normal_(layer.bias, std=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """(B, h, w, D) -> (B, h, w, D)."""
        x = x + self.drop_path(self.norm1(self.attn(x)))
        return x + self.drop_path(self.norm2(self.fc2(F.gelu(self.fc1(x)))))
