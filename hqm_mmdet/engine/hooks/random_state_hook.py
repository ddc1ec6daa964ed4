"""Random numbers that depend on where training is, not on how it got there."""

import random
from collections.abc import Iterator

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import HOOKS


@HOOKS.register_module()
class RandomStateHook(Hook):
    """Makes every random stream of training a pure function of the seed and the position.

    * Model (dropout, query mining): ``random``, NumPy and torch (CPU and CUDA) are seeded before every iteration from
      (seed, rank, iteration).
    * Data: data sets with a ``set_epoch`` method get the epoch before each epoch, and, if they have an attribute
      ``seed``, the run's seed; :class:`HOIDataset` draws its augmentation from (seed, epoch, index).
    * Order: the sampler gets the run's seed, which matters when a run without a fixed seed is resumed.

    So no state of a generator needs to be saved, and a resumed run repeats the uninterrupted one. Needs
    ``randomness.diff_rank_seed=False`` (the default); processes draw different numbers all the same.

    Raises:
        ConfigError: before training, with ``diff_rank_seed=True``, whose ranks would shuffle the data differently.
    """

    priority = "VERY_HIGH"

    def before_train(self, runner) -> None:
        """Hand the run's seed to the data."""
        if runner.cfg.get("randomness", {}).get("diff_rank_seed", False):
            raise ConfigError("RandomStateHook needs randomness.diff_rank_seed=False; ranks differ without it.")
        # here and not earlier: a resumed checkpoint has replaced the runner's seed by its own just now
        if hasattr(runner.train_dataloader.sampler, "seed"):
            runner.train_dataloader.sampler.seed = runner.seed
        for dataset in base_datasets(runner.train_dataloader.dataset):
            if hasattr(dataset, "seed"):
                dataset.seed = runner.seed

    def before_train_epoch(self, runner) -> None:
        """Tell the data sets the epoch; worker processes start after this."""
        for dataset in base_datasets(runner.train_dataloader.dataset):
            if hasattr(dataset, "set_epoch"):
                dataset.set_epoch(runner.epoch)

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """Seed what the model draws from."""
        seed_everything(runner.seed, get_rank(), runner.iter)


def seed_everything(*position: int) -> None:
    """Seed ``random``, NumPy and torch (CPU and CUDA) from a few non-negative numbers, well mixed."""
    # neighbouring positions must not give similar streams, which adding them up would
    words = np.random.SeedSequence(position).generate_state(3)
    random.seed(int(words[0]))
    np.random.seed(words[1])
    torch.manual_seed(int(words[2]))


def base_datasets(dataset) -> Iterator:
    """The data sets below wrappers (``ConcatDataset``, ``RepeatDataset``, torch's ``Subset``, ...)."""
    inner = getattr(dataset, "datasets", None) or [
        getattr(dataset, name) for name in ("dataset", "_dataset") if hasattr(dataset, name)
    ]
    if not inner:  # not a wrapper
        yield dataset
    for part in inner:
        yield from base_datasets(part)
