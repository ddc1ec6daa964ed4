"""What a user can mend, apart from what only a programmer can."""

from hqm_mmdet_cli.errors import UserError

__all__ = ["ClassMismatchError", "ConfigError", "MissingHookError", "UserError"]


class ConfigError(UserError, ValueError):
    """A config asks for what can't be built."""


class MissingHookError(UserError, RuntimeError):
    """A component waits for a hook that the config does not list; the message says what to add."""


class ClassMismatchError(UserError, ValueError):
    """A head was configured for other numbers of classes or verbs than the data set has."""
