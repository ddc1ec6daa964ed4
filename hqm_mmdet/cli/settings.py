"""Words of a command line as config and device."""

import re
from argparse import Namespace
from collections.abc import Sequence

import torch
from mmengine.config import Config, DictAction

from hqm_mmdet.configuring import merge_options
from hqm_mmdet.utils.launch import read_config_file
from hqm_mmdet_cli.errors import UsageError


def parse_settings(words: Sequence[str]) -> dict:
    """``key=value`` words to a dict, by mmengine's rules (numbers, lists, tuples).

    Raises:
        UsageError: a word without ``=``, brackets that do not close, or a dict, which mmengine's rules do not know.
    """
    for word in words:
        # mmengine's parser takes these for words, or never ends.
        if re.search(r"=\s*{|dict\(", word):
            raise UsageError(f"--cfg-options: {word!r} holds a dict. Set its entries one by one: KEY.ENTRY=VALUE.")
    # mmengine's own parser, so that --cfg-options mean here what they mean in OpenMMLab's tools.
    parsed = Namespace(settings={})
    try:
        DictAction(["--cfg-options"], "settings")(None, parsed, list(words))
    except (ValueError, AssertionError, RecursionError) as error:
        raise UsageError(f"--cfg-options: expected KEY=VALUE, got {' '.join(words)!r} ({error}).") from error
    return parsed.settings


def require_device(device: str | None) -> None:
    """Raise a UsageError if torch can't compute there."""
    try:
        torch.empty(1, device=device)
    except Exception as error:  # each backend has its own way to say that it is not there
        raise UsageError(f"--device {device} can't be used: {error}") from error


def read_config(config: str | None, cfg_options: Sequence[str]) -> Config | None:
    """The config file with the command line's changes; None for that of the checkpoint."""
    if config is None:
        return None
    cfg = read_config_file(config)
    merge_options(cfg, parse_settings(cfg_options))
    return cfg
