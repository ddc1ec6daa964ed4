"""Stopping in good order when the machine asks for it."""

import os
import signal
import threading
from types import FrameType

from mmengine.dist import get_world_size
from mmengine.hooks import Hook

from hqm_mmdet.registry import HOOKS
from hqm_mmdet_cli.installation import resume_command

from .safe_checkpoint_hook import SafeCheckpointHook

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@HOOKS.register_module()
class StopOnSigtermHook(Hook):
    """On SIGTERM or Ctrl-C, finish the iteration, save a checkpoint and exit with status 143 or 130 (128 + signal).

    Under gradient accumulation the next update of the optimizer is waited for. During validation nothing more is
    computed; the resumed run repeats it. A second signal ends the process at once.

    Only for training with a single process. With several, the launcher ends all of them as it likes (torchrun kills
    them 30 s after SIGTERM), one may already be gone while another saves, and the run is resumed from its last regular
    checkpoint; set ``iter_interval`` of :class:`SafeCheckpointHook` to lose less. The same holds where SIGTERM is sent
    to the data loading workers too (process groups, ``scancel``): the loader may fail before the iteration ends.
    """

    priority = "LOWEST"  # after the checkpoint hook

    def __init__(self):
        self.asked: int | None = None  # the signal that asked
        self._former: dict[int, object] = {}

    def before_train(self, runner) -> None:
        """Listen, where Python allows it (main thread)."""
        self._runner = runner
        if get_world_size() == 1 and threading.current_thread() is threading.main_thread():
            self._process = os.getpid()
            self._former = {number: signal.signal(number, self._on_signal) for number in SIGNALS}

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

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # Ctrl-C reaches data loading processes too, which inherit this handler; the iteration still needs them.
        if os.getpid() != self._process:
            return
        self.asked = number
        # saving inside a signal handler could meet a half-done step; a second signal finds the default handler
        self._restore()
        self._runner.logger.warning(f"{signal.Signals(number).name}: stopping after this iteration.")

    def _restore(self) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former = {}

    def _stop(self, runner, epoch: int, iteration: int) -> None:
        hooks = [hook for hook in runner.hooks if isinstance(hook, SafeCheckpointHook)]
        if hooks and not hooks[0].save_now(runner, epoch, iteration):
            return  # gradients are being gathered; the next iteration tries again
        saved = f"saved {hooks[0].last_ckpt}" if hooks else "saved nothing (no SafeCheckpointHook)"
        runner.logger.warning(
            f"Stopped by {signal.Signals(self.asked).name} after iteration {iteration}, {saved}. Go on with\n  "
            f"{resume_command()}"
        )
        raise SystemExit(128 + self.asked)
