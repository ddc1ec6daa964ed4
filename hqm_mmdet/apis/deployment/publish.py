"""From a training's checkpoint to a file that predicting needs nothing besides."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from mmengine.config import Config
from torch import nn

from hqm_mmdet.apis.build import build_model, init_model
from hqm_mmdet.apis.class_names import class_names
from hqm_mmdet.apis.inference_config import inference_config
from hqm_mmdet.checkpoints.files import FORMATS, Checkpoint, checkpoint_bytes
from hqm_mmdet.safe_loading import CheckpointError
from hqm_mmdet.utils.atomic_io import write_atomically
from hqm_mmdet.version import __version__

KEPT_META = ("epoch", "iter", "seed", "time", "experiment_name", "mmengine_version", "converted_from")
CHECKED_SIZES = ((64, 96), (98, 70))  # even, as some backbones want


@dataclass
class Published:
    """What was written.

    Args:
        files (list[Path]): one per format.
        num_parameters (int): of the published model, the plain detector.
        removed (list[str]): parameters and buffers that only training needs.
        needs (list[str]): files that the model needs besides.
    """

    files: list[Path]
    num_parameters: int
    removed: list[str]
    needs: list[str]


def publish_checkpoint(
    checkpoint: str | Path,
    out: str | Path,
    config: str | Path | Config | None = None,
    formats: Sequence[str] = FORMATS,
) -> Published:
    """Write ``OUT-<hash>.pth`` and ``OUT-<hash>.safetensors`` with weights, config and names of classes and verbs.

    Optimizer, log history and the parameters of mining and re-weighting stay behind. As in mmengine's convention, the
    hash is the first eight digits of the file's SHA-256. The written files are read again and must predict exactly what
    ``checkpoint`` predicts; else they are deleted.

    Args:
        checkpoint (str | Path): of a training, or converted.
        out (str | Path): path without ending; its folder is made.
        config (str | Path | Config, optional): a config or its file. Default: the one that the checkpoint holds.
        formats (Sequence[str]): which of ``FORMATS``. Default: all of them.

    Returns:
        Published: the files, and what they hold.

    Raises:
        FileNotFoundError: no such checkpoint or config.
        CheckpointError: the checkpoint is damaged, does not fit the config, holds no config where none is given, or
            predicts something else when it is read again.
    """
    source = Checkpoint.read(checkpoint)
    original = init_model(config, source, folded=False)
    plain = inference_config(original.cfg)
    _forget_detector_file(plain, original)
    own, state = build_model(plain, initialise=False).state_dict(), original.state_dict()
    meta = {key: value for key, value in source.meta.items() if key in KEPT_META}
    meta |= dict(cfg=plain.pretty_text, dataset_meta=class_names(original, original.cfg), hqm_mmdet_version=__version__)
    # In the plain detector's order, so that the bytes do not depend on how the training was built.
    kept = {name: state[name] for name in own}
    return Published(
        files=[_write(out, checkpoint_bytes(kept, meta, ending), ending, original) for ending in formats],
        num_parameters=sum(own[name].numel() for name, _ in original.named_parameters() if name in own),
        removed=[name for name in state if name not in own],
        needs=[mask] if (mask := plain.model.get("bbox_head", {}).get("verb_object_mask")) else [],
    )


def _forget_detector_file(config: Config, model: nn.Module) -> None:
    """Of a two-stage model: its checkpoint has the detector's weights, and the config gets the names of its classes."""
    part, provider = config.model.get("instances"), getattr(model, "instances", None)
    while provider is not None:
        part.pop("checkpoint", None)
        if getattr(provider, "detector_classes", None) is not None:
            part.detector_classes = list(provider.detector_classes)
        part, provider = part.get("source"), getattr(provider, "source", None)  # boxes of PooledFeatures


def _write(out: str | Path, content: bytes, ending: str, original: nn.Module) -> Path:
    """Write one file and compare what it predicts."""
    path = Path(f"{out}-{hashlib.sha256(content).hexdigest()[:8]}.{ending}")
    write_atomically(path, content)
    # Read as a user reads it, without the config at hand: what the file lacks shows here.
    try:
        _check_predictions(original, init_model(None, path, folded=False), str(path))
    except Exception:
        path.unlink()
        raise
    return path


def _check_predictions(original: nn.Module, published: nn.Module, name: str) -> None:
    """Raise a CheckpointError unless both models give the same numbers for noise images of several sizes."""
    generator = torch.Generator().manual_seed(0)
    for size in CHECKED_SIZES:
        inputs = torch.randn(1, 3, *size, generator=generator)
        with torch.inference_mode():
            expected, got = (model(inputs, mode="tensor") for model in (original, published))
        # Exactly, not nearly: the same weights in the same graph on the same machine.
        different = [key for key, value in expected.items() if not torch.equal(value, got[key])]
        if different:
            raise CheckpointError(f"{name} predicts other {different} than the checkpoint it was made of.")
