"""Training by epochs that can be taken up again anywhere, and the sampler that this takes."""

import logging
from collections.abc import Iterable, Iterator
from itertools import islice

from mmengine.dataset import DefaultSampler
from mmengine.dist import get_world_size
from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop
from torch import nn

from hqm_mmdet.errors import ConfigError, UserError
from hqm_mmdet.registry import DATA_SAMPLERS, LOOPS


class ResumeError(UserError, ValueError):
    """A checkpoint can't be gone on from with these settings."""


@DATA_SAMPLERS.register_module()
class ResumableSampler(DefaultSampler):
    """mmengine's ``DefaultSampler``, same order, with a start position for the next pass.

    Its length stays that of a whole epoch. Arguments are those of ``DefaultSampler``.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._start = 0

    def skip(self, num_samples: int) -> None:
        """Leave out the first samples of this process in the next pass, and only there; nothing of them is loaded."""
        self._start = num_samples

    def __iter__(self) -> Iterator[int]:
        start, self._start = self._start, 0  # the next epoch is whole
        return islice(super().__iter__(), start, None)


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """mmengine's ``EpochBasedTrainLoop``, with what a resumed run needs to equal the uninterrupted one.

    * A checkpoint from inside an epoch goes on with the next batch of that epoch. With :class:`ResumableSampler` the
      batches before it are not loaded; with any other sampler they are loaded and discarded (slow, but the same).
    * A validation that was due when the run stopped is made up for. An epoch's checkpoint is written before its
      validation, so a run stopped right after a validation repeats it; that changes nothing.

    Where the epoch began and what was validated lies in the message hub and so in every checkpoint. Arguments are those
    of ``EpochBasedTrainLoop``. :class:`RandomStateHook` does the same for random numbers.

    Raises:
        ConfigError: there would be no iteration at all, and the "best" checkpoint would hold random weights.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self._max_epochs < 1:
            raise ConfigError(f"train_cfg.max_epochs is {self._max_epochs}: nothing would be trained. Set at least 1.")
        if not len(self.dataloader):
            raise ConfigError(self._why_empty())

    def _why_empty(self) -> str:
        images, batch = len(self.dataloader.dataset), self.dataloader.batch_size
        if not images:
            return "The training data set has no image left: nothing would be trained. `hqm-mmdet check-data` says why."
        return (
            f"The training data set has {images} images, fewer than a batch of {batch} in each of {get_world_size()} "
            "processes, and train_dataloader.drop_last drops what fills no batch: nothing would be trained. Set "
            "train_dataloader.drop_last=False, or a smaller train_dataloader.batch_size."
        )

    def run(self) -> nn.Module:
        """Train; returns the model."""
        self.runner.call_hook("before_train")
        self._validate_if_due()
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._validate_if_due()
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_epoch(self) -> None:
        """Train one epoch, or what is left of it."""
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        start = self._position()
        for batch_idx, data_batch in enumerate(self._batches_from(start), start):
            self.run_iter(batch_idx, data_batch)
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1

    def _position(self) -> int:
        """How many batches of the current epoch are done; notes the beginning of a new one.

        Raises:
            ResumeError: resumed inside an epoch of another length.
        """
        length = len(self.dataloader)
        # in the message hub, because that is what checkpoints carry and a resumed run gets back
        begun = self.runner.message_hub.get_info("epoch_begun", {})
        if begun.get("epoch") != self._epoch or begun["iter"] == self._iter:
            begun = dict(epoch=self._epoch, iter=self._iter, length=length)
            self.runner.message_hub.update_info("epoch_begun", begun)
        if begun["length"] != length:
            raise ResumeError(
                f"The checkpoint was written inside an epoch of {begun['length']} batches; now an epoch has {length}. "
                "Resume with the former batch size, number of processes and data set, or from a checkpoint "
                "epoch_N.pth written at the end of an epoch."
            )
        return self._iter - begun["iter"]

    def _batches_from(self, start: int) -> Iterable[dict]:
        """Batches of the epoch without the first ones."""
        if start == 0:
            return self.dataloader
        sampler, batch_size = self.dataloader.sampler, self.dataloader.batch_size
        if hasattr(sampler, "skip") and batch_size is not None:  # a batch sampler of one's own has no batch_size
            sampler.skip(start * batch_size)
            return self.dataloader
        print_log(
            f"Resumed inside an epoch: {start} batches are loaded and discarded. ResumableSampler spares this.",
            logger="current",
            level=logging.WARNING,
        )
        return islice(self.dataloader, start, None)

    def _validate_if_due(self) -> None:
        """Validate at the end of an epoch, once."""
        self._decide_current_val_interval()
        due = self._epoch >= max(self.val_begin, 1) and (
            self._epoch % self.val_interval == 0 or self._epoch == self._max_epochs
        )
        hub = self.runner.message_hub
        if self.runner.val_loop is None or not due or hub.get_info("epoch_validated", 0) >= self._epoch:
            return
        # Noted first: a checkpoint written by after_val_epoch (best score) has its validation behind it.
        hub.update_info("epoch_validated", self._epoch)
        self.runner.val_loop.run()
