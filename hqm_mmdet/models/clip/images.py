"""CLIP's view of the images that a detector gets, and the frozen tower that looks at it."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import MODELS

from .model import NAMED_SIZES, CLIPSize, VisionTower
from .sources import read_clip
from .token_cache import TokenCache

MEAN = (0.48145466, 0.4578275, 0.40821073)  # RGB in [0, 1], of CLIP's training images
STD = (0.26862954, 0.26130258, 0.27577711)


def clip_view(image: Tensor, size: int) -> Tensor:
    """An image as CLIP's preprocessing shows it: bicubic to ``size`` on the short side, then the centre.

    Officially PIL does this on bytes; here it happens on the device, on floats. The two differ by rounding, and at hard
    edges by a few levels, because PIL clips between its horizontal and its vertical pass.

    Args:
        image (Tensor): (3, H, W), RGB in 0..255.
        size (int): S.

    Returns:
        Tensor: (3, S, S), RGB in 0..255.
    """
    height, width = image.shape[1:]
    short = min(height, width)
    target = (int(size * height / short), int(size * width / short))
    if target == (height, width) == (size, size):
        return image  # made by the pipeline, or by who runs an exported graph, which can't resize so
    resized = F.interpolate(image[None], target, mode="bicubic", antialias=True)[0].clamp(0, 255)
    top, left = (round((length - size) / 2) for length in target)
    return resized[:, top : top + size, left : left + size]


def clip_input(views: Tensor) -> Tensor:
    """RGB in 0..255 (B, 3, S, S) -> what CLIP's image tower takes."""
    mean, std = (views.new_tensor(numbers)[:, None, None] for numbers in (MEAN, STD))
    return (views / 255 - mean) / std


@MODELS.register_module()
class FrozenCLIPVision(VisionTower):
    """CLIP's image tower that does not learn: always in evaluation mode, without gradients.

    Args:
        size (str | dict): ``ViT-B/32``, ``ViT-B/16``, ``ViT-L/14``, or arguments of :class:`CLIPSize`. Default
            ``ViT-B/32``.
        weights (str, optional): CLIP weights, see :func:`~.sources.read_clip`, read when training starts. Default None:
            random values, for a checkpoint that holds the tower.
        cache (str, optional): folder where tokens of images are kept, for data sets that are read without augmentation,
            see :class:`TokenCache`. Default None: none are.
        init_cfg (dict, optional): as in mmengine. Default None.

    Raises:
        ConfigError: an unknown size.
    """

    def __init__(
        self,
        size: str | dict = "ViT-B/32",
        weights: str | None = None,
        cache: str | None = None,
        init_cfg: dict | None = None,
    ):
        if isinstance(size, str) and size not in NAMED_SIZES:
            raise ConfigError(f"CLIP size {size!r}: known are {', '.join(NAMED_SIZES)}, or give the numbers as a dict.")
        super().__init__(NAMED_SIZES[size] if isinstance(size, str) else CLIPSize(**size), init_cfg)
        self.weights = weights
        self.cache = TokenCache(cache, self.state_dict) if cache else None
        self.register_load_state_dict_post_hook(_forget_weights)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "FrozenCLIPVision":
        """Stays in evaluation mode."""
        return super().train(False)

    def init_weights(self) -> None:
        """Read the weights.

        Raises:
            FileNotFoundError: no such file; the message says which and how to get it.
            ConfigError: they belong to a tower of another size.
        """
        super().init_weights()
        if self.weights is None:
            return
        state = read_clip(self.weights)
        found = CLIPSize.of_state(state)
        tower = {name.removeprefix("visual."): value for name, value in state.items() if name.startswith("visual.")}
        wrong = [name for name, own in self.state_dict().items() if name not in tower or tower[name].shape != own.shape]
        if wrong:
            raise ConfigError(f"{self.weights} is a CLIP of {found}, the config wants {self.size}. Set clip.size.")
        self.load_state_dict(tower)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """As in :class:`VisionTower`."""
        return super().forward(images) if self.cache is None else self.cache(images, super().forward)

    def views(self, images: Sequence[Tensor]) -> Tensor:
        """Images (3, H, W) of any sizes, RGB in 0..255 -> what the tower takes, (B, 3, S, S)."""
        return clip_input(torch.stack([clip_view(image, self.size.image_size) for image in images]))


def _forget_weights(tower: FrozenCLIPVision, _) -> None:
    if tower.cache is not None:
        tower.cache.forget_weights()
