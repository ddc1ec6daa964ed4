"""Run ``hqm-mmdet`` in this process."""

import pytest

from hqm_mmdet_cli import main


def run(*arguments) -> int:
    """Exit status."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments], prog_name="hqm-mmdet")
    return ended.value.code or 0
