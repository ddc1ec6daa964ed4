"""Configs as users write them: settings that nothing reads, and what is wrong with those that can't be built."""

from .build_errors import config_errors
from .common_settings import complete_loaders
from .places import nearest
from .project_files import find_config, project_configs, project_root
from .reading import merge_options, parse_config
from .unread import ENV_KEYS, READ_KEYS, unread_in_files

__all__ = [
    "ENV_KEYS",
    "READ_KEYS",
    "complete_loaders",
    "config_errors",
    "find_config",
    "merge_options",
    "nearest",
    "parse_config",
    "project_configs",
    "project_root",
    "unread_in_files",
]
