"""Stopping in good order when the machine asks for it."""

import signal
import threading
from types import FrameType

from mmengine.dist import get_world_size
from mmengine.hooks import Hook

from hqm_mmdet.registry import HOOKS

from .safe_checkpoint_hook import SafeCheckpointHook


@HOOKS.register_module()
class StopOnSigtermHook(Hook):
    """On SIGTERM, finish the iteration, save a checkpoint and exit with status 143 (128 + SIGTERM).

    Under gradient accumulation the next update of the optimizer is waited for. During validation nothing more is
    computed; the resumed run repeats it. A second SIGTERM ends the process at once.

    Only for training with a single process. With several, the launcher ends all of them as it likes (torchrun kills
    them 30 s after SIGTERM), one may already be gone while another saves, and the run is resumed from its last regular
    checkpoint; set ``iter_interval`` of :class:`SafeCheckpointHook` to lose less. The same holds where SIGTERM is sent
    to the data loading workers too (process groups, ``scancel``): the loader may fail before the iteration ends.
    """

    priority = "LOWEST"  # after the checkpoint hook

    def __init__(self):
        self.asked = False
        self._former = None

    def before_train(self, runner) -> None:
        """Listen, where Python allows it (main thread)."""
        self._runner = runner
        if get_world_size() == 1 and threading.current_thread() is threading.main_thread():
            self._former = signal.signal(signal.SIGTERM, self._on_sigterm)

    def after_train(self, runner) -> None:
        """Stop listening."""
        self._restore()

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Save and leave, if asked to."""
        if self.asked:
            self._stop(runner, runner.epoch, runner.iter + 1)

    def after_val_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Leave from within a validation that training has called."""
        if self.asked:
            runner.message_hub.update_info("epoch_validated", runner.epoch - 1)  # this one is not done
            self._stop(runner, runner.epoch, runner.iter)

    def _on_sigterm(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        # saving inside a signal handler could meet a half-done step; a second SIGTERM finds the default handler
        self._restore()
        self._runner.logger.warning("SIGTERM: stopping after this iteration.")

    def _restore(self) -> None:
        if self._former is not None:
            signal.signal(signal.SIGTERM, self._former)
            self._former = None

    def _stop(self, runner, epoch: int, iteration: int) -> None:
        hooks = [hook for hook in runner.hooks if isinstance(hook, SafeCheckpointHook)]
        if hooks and not hooks[0].save_now(runner, epoch, iteration):
            return  # gradients are being gathered; the next iteration tries again
        saved = f"saved {hooks[0].last_ckpt}" if hooks else "saved nothing (no SafeCheckpointHook)"
        runner.logger.warning(
            f"Stopped by SIGTERM after iteration {iteration}, {saved}. Go on with the same command and --resume "
            f"(work folder {runner.work_dir})."
        )
        raise SystemExit(128 + signal.SIGTERM)
