"""mmengine's runner with a calm console."""

from mmengine.logging import MMLogger
from mmengine.runner import Runner

from hqm_mmdet.registry import RUNNERS

from ..hooks.training_summary_hook import TrainingSummaryHook
from .console import CalmConsole, calm


@RUNNERS.register_module()
class CalmRunner(Runner):
    """mmengine's ``Runner`` whose console begins where training or testing does; the log file is complete.

    Training begins with :class:`~hqm_mmdet.engine.TrainingSummaryHook`'s summary. ``hqm-mmdet train`` (without
    ``--verbose``) and ``hqm-mmdet test`` use it, unless the config names a ``runner_type`` of its own.
    """

    console: CalmConsole | None = None

    def build_logger(self, *args, **kwargs) -> MMLogger:
        """See mmengine."""
        logger = super().build_logger(*args, **kwargs)
        self.console = calm(logger)
        return logger

    def register_hooks(self, *args, **kwargs) -> None:
        """See mmengine."""
        super().register_hooks(*args, **kwargs)
        self.register_hook(TrainingSummaryHook(self.console))
