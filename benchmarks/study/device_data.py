"""A toy training set in device memory."""

from collections.abc import Iterator

import torch
from torch.utils.data import DataLoader

from hqm_mmdet.datasets.seeding import random_streams


class DeviceLoader:
    """Batches of a data set of which every sample, mirrored and not, lies on the device, ready to be used.

    Order and length are those of the loader it stands for. Which samples are mirrored depends on (seed, epoch), drawn
    otherwise than by the data set, so records made with it are not mixed with others (the config tells).

    Args:
        loader (DataLoader): its data set's pipeline must end in ``RandomFlip`` and a packing transform.
        device (str): where to.

    Raises:
        ValueError: the pipeline ends otherwise.
    """

    def __init__(self, loader: DataLoader, device: str):
        self.dataset, self.sampler, self.batch_size = loader.dataset, loader.sampler, loader.batch_size
        self._length = len(loader)
        flip = self.dataset.pipeline.transforms[-2]
        if type(flip).__name__ != "RandomFlip":
            raise ValueError(f"The last transform but one must be RandomFlip, got {type(flip).__name__}.")
        chance = flip.prob
        self._samples = []
        for flip.prob in (0.0, 1.0):
            self._samples.append([_moved(self.dataset[i], device) for i in range(len(self.dataset))])
        flip.prob = chance
        self._chance = chance

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[dict]:
        order = list(self.sampler)
        with random_streams(self.dataset.seed or 0, self.dataset.epoch):
            mirrored = (torch.rand(len(order)) < self._chance).long().tolist()
        for start in range(0, self._length * self.batch_size, self.batch_size):
            rows = slice(start, start + self.batch_size)
            batch = [self._samples[m][i] for m, i in zip(mirrored[rows], order[rows], strict=True)]
            yield {key: [sample[key] for sample in batch] for key in ("inputs", "data_samples")}


def _moved(sample: dict, device: str) -> dict:
    return {key: value.to(device) for key, value in sample.items()}
