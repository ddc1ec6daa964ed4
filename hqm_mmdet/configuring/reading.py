"""Config files and the changes of a command line, with one message for what is wrong."""

from collections.abc import Mapping
from pathlib import Path

from mmengine.config import Config

from hqm_mmdet.errors import ConfigError

from .unread import check_known_tables, check_options


def parse_config(path: str | Path) -> Config:
    """The config of a file, which is Python and runs.

    Raises:
        ConfigError: it, or one that it inherits, can't be read; or a table has a key that nothing reads.
    """
    try:
        cfg = Config.fromfile(path)
    except Exception as error:  # the file is Python, and raises what it likes
        reason = str(error) if isinstance(error, SyntaxError) else f"{type(error).__name__}: {error}"
        raise ConfigError(f"Config {path}, or one that it inherits, can't be read: {reason}.") from error
    try:
        check_known_tables(cfg)
    except ConfigError as error:
        raise ConfigError(f"Config {path}: {error}") from error
    return cfg


def merge_options(cfg: Config, options: Mapping) -> None:
    """Put the settings of a command line into a config.

    Args:
        cfg (Config): is changed.
        options (Mapping): values by dotted path.

    Raises:
        ConfigError: nothing would read one, or it leads nowhere.
    """
    check_options(cfg, options)
    for path, value in options.items():
        try:
            cfg.merge_from_dict({path: value})
        except Exception as error:  # mmengine asserts, indexes and looks up along the path
            raise ConfigError(f"--cfg-options {path}: it leads nowhere ({type(error).__name__}: {error}).") from error
    check_known_tables(cfg)
