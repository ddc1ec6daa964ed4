"""Instances of a file (or of any other provider) with features pooled from a backbone."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mmdet.structures import SampleList
from mmengine.model import BaseModule, ModuleDict
from torch import Tensor, nn

from hqm_mmdet.checkpoints.files import Checkpoint
from hqm_mmdet.checkpoints.loading import load_weights
from hqm_mmdet.registry import MODELS

from .feature_readers import pool_boxes
from .scenes import Scene, of_equal_size, padding_of


@MODELS.register_module()
class PooledFeatures(BaseModule):
    """Boxes of another provider, features from a backbone by RoIAlign.

    Args:
        source (dict): config of a provider of boxes, such as :class:`StoredInstances`.
        backbone (dict): gets the images as the host normalised them.
        neck (dict, optional): boxes are pooled from its maps; of equal channels. Default None: from the backbone's
            last map.
        checkpoint (str | Path, optional): weights of backbone and neck; read when training starts, without running
            code. Default None: the host's checkpoint has them, or they start as configured.
        frozen (bool): backbone and neck are in evaluation mode and do not learn. Default: True.
        map_levels (Sequence[int]): which maps of the backbone are passed on, the coarsest last. Default: (-1,).
    """

    def __init__(
        self,
        source: dict,
        backbone: dict,
        neck: dict | None = None,
        checkpoint: str | Path | None = None,
        frozen: bool = True,
        map_levels: Sequence[int] = (-1,),
    ):
        super().__init__()
        self.source = MODELS.build(source)
        parts = dict(backbone=backbone) if neck is None else dict(backbone=backbone, neck=neck)
        self.parts = ModuleDict({name: MODELS.build(part) for name, part in parts.items()})
        self.frozen, self.map_levels = frozen, tuple(map_levels)
        self.checkpoint = checkpoint
        if frozen:
            self.parts.requires_grad_(False)

    @property
    def required_parameters(self) -> tuple[str, ...]:
        """Prefixes of parameters that a host's checkpoint must give."""
        return ("parts.",) if self.frozen and self.checkpoint is None else ()

    def init_weights(self) -> None:
        """From the checkpoint, if there is one, else as configured.

        Raises:
            FileNotFoundError, CheckpointError: no such checkpoint, or it does not fit.
        """
        if self.checkpoint is None:
            super().init_weights()
            return
        stored = Checkpoint.read(self.checkpoint)
        load_weights(self.parts, stored.state, stored.name)
        self.source.init_weights()

    def train(self, mode: bool = True) -> "PooledFeatures":
        """Frozen parts stay in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.parts.eval()
        return self

    def forward(self, batch_inputs: Tensor, batch_data_samples: SampleList, preprocessor: nn.Module) -> list[Scene]:
        """Scenes of a batch; images of one size go through the backbone together, without padding.

        Raises:
            MissingDetections: a sample has no boxes.
        """
        found = self.source(batch_inputs, batch_data_samples, preprocessor)
        sizes = [tuple(sample.img_shape[:2]) for sample in batch_data_samples]
        scenes: list[Scene | None] = [None] * len(found)
        for rows in of_equal_size(sizes):
            height, width = size = sizes[rows[0]]
            maps, feats = self._maps(batch_inputs[rows, :, :height, :width])
            features = pool_boxes(feats, [found[row].bboxes.to(batch_inputs) for row in rows], size)
            parts = features.split([len(found[row]) for row in rows])
            for i, (row, part) in enumerate(zip(rows, parts, strict=True)):
                own = tuple(each[i] for each in maps)
                found[row].features = part
                name = batch_data_samples[row].get("img_path", "an image")
                pool = partial(_pool, [each[i : i + 1] for each in feats], size)
                scenes[row] = Scene(found[row], own, padding_of(size, size, own), size, name, pool)
        return scenes

    def _maps(self, images: Tensor) -> tuple[list[Tensor], Sequence[Tensor]]:
        """Maps to pass on, and maps to pool from."""
        maps = self.parts["backbone"](images)
        feats = self.parts["neck"](maps) if "neck" in self.parts else maps[-1:]
        return [maps[level] for level in self.map_levels], feats

    def loss(
        self, batch_inputs: Tensor, batch_data_samples: SampleList, preprocessor: nn.Module
    ) -> dict[str, Tensor | list[Tensor]]:
        """Of the provider of the boxes."""
        return self.source.loss(batch_inputs, batch_data_samples, preprocessor)


def _pool(feats: Sequence[Tensor], size: tuple[int, int], boxes: Tensor, labels: Tensor) -> Tensor:
    """Features of boxes (n, 4) of the one image of ``feats``, whatever their labels."""
    return pool_boxes(feats, [boxes], size)
