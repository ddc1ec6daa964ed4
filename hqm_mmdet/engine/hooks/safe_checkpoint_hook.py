"""Checkpoints that survive a kill at any moment."""

import inspect
import os.path as osp
import time

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.internals import is_between_updates
from hqm_mmdet.registry import HOOKS
from hqm_mmdet.utils import remove_incomplete, write_atomically
from hqm_mmdet_cli.nearest import nearest

HOOK_ARGUMENTS = frozenset(inspect.signature(CheckpointHook.__init__).parameters) - {"self", "kwargs"}


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook`` for runs that may be killed at any moment, also while it writes.

    * A checkpoint appears under its name when it is complete (:class:`AtomicBackend`); ``last_checkpoint`` follows, and
      only then old ones are deleted. The former best checkpoint goes after the new best is complete. Half-written files
      of an earlier run are removed at the start.
    * Under gradient accumulation a checkpoint that falls between two updates of the optimizer would lose the gradients
      gathered so far. It is put off to the next update (``iter_N.pth``); the best weights are not concerned.

    Args:
        interval (int): epochs between checkpoints ``epoch_N.pth``; with ``by_epoch=False`` iterations. Default 1.
        iter_interval (int): iterations between further checkpoints ``iter_N.pth`` inside epochs. Default -1, none.
        max_keep_ckpts (int): how many checkpoints of both kinds stay, the newest; -1 keeps all. Default 3; below 2
            there is nothing to fall back to if a disk damages the newest.
        save_best (str, optional): the metric whose best checkpoint is kept, e.g. ``'hico/full'``.
            Default None.
        rule (str): ``'greater'`` or ``'less'``. Default ``'greater'``, as all metrics here.
        backend_args (dict, optional): mmengine's file backend. Default the atomic one for local files.
        **kwargs: further arguments of mmengine's ``CheckpointHook``.

    Raises:
        ConfigError: ``save_best`` is a list, ``max_keep_ckpts`` is 0, or mmengine's hook has no such argument.
    """

    def __init__(
        self,
        interval: int = 1,
        iter_interval: int = -1,
        max_keep_ckpts: int = 3,
        save_best: str | None = None,
        rule: str = "greater",
        backend_args: dict | None = None,
        **kwargs,
    ):
        if max_keep_ckpts == 0:
            raise ConfigError("max_keep_ckpts must be -1 (all) or positive, got 0.")
        if save_best is not None and not isinstance(save_best, str):
            raise ConfigError(f"save_best must be the name of one metric, got {save_best}.")
        # mmengine's hook takes whatever comes and passes over what it does not know.
        for name in kwargs.keys() - HOOK_ARGUMENTS:
            raise ConfigError(f"{name}: no setting of the checkpoint hook.{nearest(name, sorted(HOOK_ARGUMENTS))}")
        backend_args = backend_args or dict(backend="atomic")
        super().__init__(interval, save_best=save_best, rule=rule, backend_args=backend_args, **kwargs)
        # mmengine's hook counts either epochs or iterations; inside of epochs this class counts itself
        self.iter_interval = iter_interval if self.by_epoch else interval
        self.num_kept = max_keep_ckpts
        self._kept: list[str] = []
        self._due = False
        self._saved: tuple[int, int] | None = None  # epoch and iteration of the newest checkpoint
        self._position: dict[str, int] = {}  # the same of the one that is being written

    def before_train(self, runner) -> None:
        """Clean up after a killed run."""
        super().before_train(runner)
        # the hub is part of checkpoints, so a resumed run knows the files of the run before it
        self._kept = list(runner.message_hub.get_info("kept_checkpoints", []))
        if is_main_process():
            for file in remove_incomplete(self.out_dir):
                runner.logger.warning(f"Removed {file}, half written by a run that was stopped.")
            self._remove_old()

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Save inside the epoch."""
        last = not self.by_epoch and self.save_last and self.is_last_train_iter(runner)
        if self.every_n_train_iters(runner, self.iter_interval, 0 if self.by_epoch else self.save_begin) or last:
            self._due = True
        if self._due:
            self.save_now(runner, runner.epoch, runner.iter + 1)

    def save_now(self, runner, epoch: int, iteration: int) -> bool:
        """Save ``iter_N.pth``, unless the optimizer is between two updates or this state is saved already.

        Args:
            runner (Runner): the run.
            epoch (int): completed epochs.
            iteration (int): completed iterations.

        Returns:
            bool: whether the state is on the disk now.
        """
        if self._saved != (epoch, iteration):
            self._save(runner, f"iter_{iteration}.pth", dict(epoch=epoch, iter=iteration))
        return self._saved == (epoch, iteration)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Note the time, by which :func:`find_latest_checkpoint` tells the newest, and where training is."""
        # mmengine's FlexibleRunner counts itself, and always as if an epoch had ended
        checkpoint["meta"].update(self._position, saved_at=time.time())

    def _save_checkpoint_with_step(self, runner, step: int, meta: dict) -> None:
        """What mmengine calls at the end of an epoch, and again when the best score has changed."""
        self._save(runner, self.filename_tmpl.format(step), meta)

    def _save(self, runner, filename: str, meta: dict) -> None:
        """Save, then point ``last_checkpoint`` to it, then delete old ones."""
        if is_between_updates(runner.optim_wrapper):  # gathered gradients wait for the optimizer
            self._due = True
            return
        self._due, self._saved = False, (meta["epoch"], meta["iter"])
        self._position = dict(epoch=meta["epoch"], iter=meta["iter"])
        self.last_ckpt = self.file_backend.join_path(self.out_dir, filename)
        self._kept = [*(kept for kept in self._kept if kept != filename), filename]
        # before saving: the checkpoint has to know that it is itself among the kept ones
        runner.message_hub.update_info("last_ckpt", self.last_ckpt)
        runner.message_hub.update_info("kept_checkpoints", list(self._kept))
        runner.save_checkpoint(
            self.out_dir,
            filename,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=dict(meta),
            backend_args=self.backend_args,
        )
        self._position = {}
        if is_main_process():
            # last: whoever follows this pointer finds a complete file
            write_atomically(osp.join(runner.work_dir, "last_checkpoint"), self.last_ckpt.encode())
            self._remove_old()

    def _remove_old(self) -> None:
        """Delete all but the newest checkpoints of this run."""
        surplus = len(self._kept) - self.num_kept if self.num_kept > 0 else 0
        for filename in self._kept[: max(surplus, 0)]:
            self._remove(self.file_backend.join_path(self.out_dir, filename))
        del self._kept[: max(surplus, 0)]

    def _save_best_checkpoint(self, runner, metrics: dict) -> None:
        """Keep the best weights; mmengine would delete the former best first."""
        if self.save_best and self.save_best[0] not in {"auto", *metrics}:
            raise ConfigError(f"save_best='{self.save_best[0]}' is none of the validation's metrics {sorted(metrics)}.")
        # hidden from mmengine, which deletes the former best before it writes the new one
        former, self.best_ckpt_path = getattr(self, "best_ckpt_path", None), None
        super()._save_best_checkpoint(runner, metrics)
        if self.best_ckpt_path is None:  # the score was no better
            self.best_ckpt_path = former
        elif former and former != self.best_ckpt_path and is_main_process():
            self._remove(former)

    def _remove(self, path: str) -> None:
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)
        elif self.file_backend.isdir(path):  # of a strategy that writes a file per process
            self.file_backend.rmtree(path)
