"""What a user can mend, apart from what only a programmer can."""


class UserError(Exception):
    """Base of all errors whose message names the file or option, the entry and the remedy.

    The command line tells them in one message, without a traceback. A subclass inherits from a built-in exception as
    well, so that code which expects a ``ValueError`` or an ``OSError`` catches it. It must be constructible from one
    string: mmengine's registry builds the error anew to put the component's name in front.
    """


class ConfigError(UserError, ValueError):
    """A config asks for what can't be built."""


class MissingHookError(UserError, RuntimeError):
    """A component waits for a hook that the config does not list; the message says what to add."""


class ClassMismatchError(UserError, ValueError):
    """A head was configured for other numbers of classes or verbs than the data set has."""
