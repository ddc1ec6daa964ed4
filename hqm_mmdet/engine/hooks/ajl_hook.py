"""Alternate joint learning: whose turn it is."""

import math

from mmengine.hooks import Hook
from mmengine.runner import Runner

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.internals import batches_per_update
from hqm_mmdet.registry import HOOKS
from hqm_mmdet.utils.distributed import unwrapped


@HOOKS.register_module()
class AJLHook(Hook):
    """Tells the model's :class:`JointLearning` which round a training iteration takes.

    The round follows from ``runner.iter`` alone, so it is the same on all ranks and right after a resume, in mid-epoch
    too. What is counted are updates of the weights, the paper's training iterations: with gradient accumulation over k
    batches, all k of an update take the same round, also where an epoch ends between them.

    Args:
        restart (bool): begin with the first round in every epoch (released code); False: count on. Default False.
        first_alone (float): share of the training in which the first round alone is taken. Not in the paper, whose
            detectors start from DETR: from random weights, queries do not know yet where to look, and masking hurts
            (docs/study.md). Default 0.0.

    Raises:
        ConfigError: ``first_alone`` is outside of [0, 1].
    """

    priority = "NORMAL"

    def __init__(self, restart: bool = False, first_alone: float = 0.0):
        if not 0 <= first_alone <= 1:
            raise ConfigError(f"AJLHook's first_alone is a share of the training, in [0, 1]; got {first_alone}.")
        self.restart = restart
        self.first_alone = first_alone

    def before_train(self, runner: Runner) -> None:
        """Refuse a model without mining.

        Raises:
            ConfigError: the model has no ``query_mining``.
        """
        if self._mining(runner) is None:
            raise ConfigError(
                "AJLHook is among the hooks, but the model has no query_mining. Remove the hook, or write "
                "`model = dict(query_mining=_base_.query_mining)` in the config."
            )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Choose the round."""
        accumulated = batches_per_update(runner.optim_wrapper)
        update = runner.iter // accumulated
        alone = update * accumulated < self.first_alone * runner.max_iters
        if self.restart:
            update -= self._first_update(update, accumulated, len(runner.train_dataloader))
        self._mining(runner).take_round(0 if alone else update)

    @staticmethod
    def _first_update(update: int, accumulated: int, epoch_length: int) -> int:
        """The first update of the epoch in which this one began."""
        epoch = update * accumulated // epoch_length
        # rounded up: an update that the epoch before began belongs to that epoch, all batches of it
        return math.ceil(epoch * epoch_length / accumulated)

    @staticmethod
    def _mining(runner: Runner):
        return getattr(unwrapped(runner.model), "query_mining", None)
