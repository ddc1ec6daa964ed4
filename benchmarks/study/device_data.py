"""A toy training set in device memory."""

from collections.abc import Iterator

import numpy as np
import torch
from mmcv.transforms import RandomFlip
from torch.utils.data import DataLoader

from hqm_mmdet.datasets.seeding import random_streams


class DeviceLoader:
    """The batches of a loader; images lie on the device, mirrored and not, labels on the host, both ready to be used.

    Order, mirroring and length are those of the loader it stands for, so trainings are the same, too.

    Args:
        loader (DataLoader): its data set is seeded, and the pipeline draws nothing but a ``RandomFlip``, which comes
            before the packing transform.
        device (str): where to.

    Raises:
        ValueError: the pipeline ends otherwise.
    """

    def __init__(self, loader: DataLoader, device: str):
        self.dataset, self.sampler, self.batch_size = loader.dataset, loader.sampler, loader.batch_size
        self._length = len(loader)
        flip = self.dataset.pipeline.transforms[-2]
        if not isinstance(flip, RandomFlip):
            raise ValueError(f"The last transform but one must be RandomFlip, got {type(flip).__name__}.")
        self._flip = flip
        chance = flip.prob
        self._samples = []
        for flip.prob in (0.0, 1.0):
            samples = [self.dataset[i] for i in range(len(self.dataset))]
            images = torch.stack([sample["inputs"] for sample in samples]).to(device)
            self._samples.append((images, [sample["data_samples"] for sample in samples]))
        flip.prob = chance

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[dict]:
        order = list(self.sampler)
        for start in range(0, self._length * self.batch_size, self.batch_size):
            batch = [(i, *self._samples[self._is_mirrored(i)]) for i in order[start : start + self.batch_size]]
            yield dict(inputs=[images[i] for i, images, _ in batch], data_samples=[labels[i] for i, _, labels in batch])

    def _is_mirrored(self, index: int) -> bool:
        """What the data set's own pipeline draws for a sample in this epoch."""
        with random_streams(self.dataset.seed, self.dataset.epoch, index):
            return self._flip(dict(img=np.zeros((1, 1, 3), np.uint8), img_shape=(1, 1)))["flip"]
