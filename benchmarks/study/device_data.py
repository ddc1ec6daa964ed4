"""The device of a training, and toy sets in its memory."""

from collections.abc import Iterator

import numpy as np
import torch
from mmcv.transforms import RandomFlip
from torch.utils.data import DataLoader

from hqm_mmdet.datasets.seeding import start_streams, streams_put_back


def device_name() -> str:
    """Of the GPU that trains, or ``CPU``."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"


class DeviceLoader:
    """The batches of a loader; images lie on the device, mirrored and not, labels on the host, both ready to be used.

    Order, mirroring and length are those of the loader it stands for, so trainings are the same, too. Beside
    ``inputs`` and ``data_samples`` a batch has ``rows``, the samples' places in :attr:`images` and :attr:`samples`.

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
        self._flip, chance = flip, flip.prob
        packed = []
        for flip.prob in (0.0, 1.0):
            packed += [self.dataset[i] for i in range(len(self.dataset))]
        flip.prob = chance
        self.images = torch.stack([sample["inputs"] for sample in packed]).to(device)  # (2 n, 3, H, W)
        self.samples = [sample["data_samples"] for sample in packed]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[dict]:
        order = list(self.sampler)
        rows = [i + len(self.dataset) * mirrored for i, mirrored in zip(order, self._mirrored(order), strict=True)]
        for start in range(0, self._length * self.batch_size, self.batch_size):
            batch = rows[start : start + self.batch_size]
            inputs, data_samples = [self.images[i] for i in batch], [self.samples[i] for i in batch]
            yield dict(inputs=inputs, data_samples=data_samples, rows=batch)

    def _mirrored(self, order: list[int]) -> list[bool]:
        """What the data set's own pipeline draws for each sample in this epoch."""
        mirrored = []
        with streams_put_back():
            for index in order:
                start_streams(self.dataset.seed, self.dataset.epoch, index)
                pixel = dict(img=np.zeros((1, 1, 3), np.uint8), img_shape=(1, 1))
                mirrored.append(self._flip(pixel)["flip"])
        return mirrored


class HeldBatches:
    """The batches of a loader, read once; images lie on the device.

    Args:
        loader (DataLoader): gives the same batches every time.
        device (str): where to.
    """

    def __init__(self, loader: DataLoader, device: str):
        self.dataset = loader.dataset
        self._batches = [batch | dict(inputs=[image.to(device) for image in batch["inputs"]]) for batch in loader]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[dict]:
        return iter(self._batches)
