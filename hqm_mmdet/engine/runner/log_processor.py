"""What a line of the training log says."""

import re

from mmengine.runner import LogProcessor

from hqm_mmdet.registry import LOG_PROCESSORS

from .console import LogLine

TERM = re.compile(r"  \S*(?:loss_|[._]loss)\S*: \S+|  data_time: \S+")  # not `loss: `, the total


@LOG_PROCESSORS.register_module()
class DataShareLogProcessor(LogProcessor):
    """mmengine's ``LogProcessor`` plus the share of an iteration that waits for data, in percent.

    The console of :class:`~.calm_runner.CalmRunner` shows the total loss alone, the file and the backends all terms.

    Shown as ``data_share`` at the end of each line, and given to the visualisation backends. More than a few percent
    means that the data loader is too slow: more ``num_workers``, or a faster disk.
    """

    def get_log_after_iter(self, runner, batch_idx: int, mode: str) -> tuple[dict, str]:
        """Values and text of one line."""
        tag, line = super().get_log_after_iter(runner, batch_idx, mode)
        # validation without timing has neither
        if tag.get("time") and "data_time" in tag:
            tag["data_share"] = 100 * tag["data_time"] / tag["time"]
            line += f"  data_share: {tag['data_share']:.0f}%"
        return tag, LogLine(line, TERM.sub("", line))
