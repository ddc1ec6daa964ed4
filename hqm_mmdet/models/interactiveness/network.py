"""An interactiveness network that judges a detector's pairs, and images as it wants them."""

from pathlib import Path

import mmcv
from mmengine.config import Config
from torch import Tensor, nn

from hqm_mmdet.checkpoints.files import Checkpoint
from hqm_mmdet.checkpoints.loading import load_weights
from hqm_mmdet.errors import UserError
from hqm_mmdet.registry import MODELS


class SuppressionError(UserError, ValueError):
    """A suppression that can't be set up; the message names the option and the remedy."""


def load_interactiveness(checkpoint: str | Path | None, config: dict | None = None) -> nn.Module:
    """A frozen :class:`~hqm_mmdet.models.two_stage.Interactiveness` in evaluation mode, with its ``cfg``.

    Raises:
        SuppressionError, FileNotFoundError, CheckpointError: see :class:`NonInteractionSuppression`.
    """
    if checkpoint is None and config is None:
        raise SuppressionError(
            "NonInteractionSuppression needs a checkpoint of an interactiveness network (checkpoint=...); train one "
            "with configs/interactiveness_hico.py."
        )
    stored = None if checkpoint is None else Checkpoint.read(checkpoint)
    whole = Config(dict(model=config)) if config else stored.config()
    network = MODELS.build(whole.model)
    if not hasattr(network, "judge"):
        raise SuppressionError(
            f"{checkpoint or 'interactiveness'}: a {type(network).__name__}, not an Interactiveness. Train one with "
            "configs/interactiveness_hico.py."
        )
    if stored is not None:
        load_weights(network, stored.state, stored.name)
    network.cfg = whole
    return network.requires_grad_(False).eval()


def own_size(cfg: Config, shape: tuple[int, int]) -> tuple[int, int]:
    """Height and width that the test pipeline of a network gives an image; its own ones without a ``Resize``.

    Args:
        cfg (Config): with ``test_dataloader``, or without if nothing is known.
        shape (tuple[int, int]): height and width of the image, pixels.
    """
    for step in cfg.get("test_dataloader", {}).get("dataset", {}).get("pipeline", ()):
        if step["type"].rpartition(".")[2] == "Resize":
            width, height = shape[::-1]
            scale = tuple(step["scale"])
            width, height = mmcv.rescale_size((width, height), scale) if step.get("keep_ratio") else scale
            return height, width
    return tuple(shape)


def raw_images(batch_inputs: Tensor, preprocessor: nn.Module) -> Tensor:
    """What a host's preprocessor got, padding aside: (B, 3, H, W) in [0, 255], channels blue, green, red."""
    if getattr(preprocessor, "_enable_normalize", False):
        batch_inputs = batch_inputs * preprocessor.std + preprocessor.mean
    return batch_inputs.flip(1) if getattr(preprocessor, "_channel_conversion", False) else batch_inputs
