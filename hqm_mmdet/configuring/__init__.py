"""Configs as users write them: settings that nothing reads, and what is wrong with those that can't be built."""

from hqm_mmdet_cli.installation import project_root
from hqm_mmdet_cli.nearest import nearest
from hqm_mmdet_cli.project_files import find_config, project_configs

from .build_errors import config_errors
from .common_settings import complete_loaders
from .reading import merge_options, parse_config
from .start import how_to_start
from .strategies import check_strategy
from .unread import ENV_KEYS, READ_KEYS, unread_in_files

__all__ = [
    "ENV_KEYS",
    "READ_KEYS",
    "check_strategy",
    "complete_loaders",
    "config_errors",
    "find_config",
    "how_to_start",
    "merge_options",
    "nearest",
    "parse_config",
    "project_configs",
    "project_root",
    "unread_in_files",
]
