"""Logs that do not grow for ever."""

from mmengine.hooks import Hook

from hqm_mmdet.registry import HOOKS


@HOOKS.register_module()
class LogHistoryHook(Hook):
    """Keeps the newest values of each logged scalar only.

    mmengine keeps all of them, copies them whenever one is added, and writes them into every checkpoint: for 72 loss
    terms after 188,000 iterations (HQM's schedule) that is 20 ms per iteration and 200 MB per checkpoint. The log files
    are complete either way.

    Args:
        keep (int): values per scalar. More than the log's window, and than the iterations of a validation, whose mean
            times are logged. Default 10000.
    """

    def __init__(self, keep: int = 10000):
        self.keep = keep

    def after_train_epoch(self, runner) -> None:
        """Limit the buffers; they shorten themselves when something is added."""
        # not in before_train: buffers come into being with the first value of their scalar
        for buffer in runner.message_hub.log_scalars.values():
            buffer.max_length = self.keep
