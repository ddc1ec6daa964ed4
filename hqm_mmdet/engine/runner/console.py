"""What a training shows on the console: a summary and short lines. The log file holds everything."""

import copy
import logging

from mmengine.logging import MMLogger


class LogLine(str):
    """A line of the log with a shorter form for the console.

    Args:
        text (str): what the file gets.
        short (str): what the console shows.
    """

    def __new__(cls, text: str, short: str) -> "LogLine":
        """Make it; strings are made, not initialised."""
        line = super().__new__(cls, text)
        line.short = short
        return line


# Of mmengine: what it says of its own calls, and a name that every line would repeat.
FOR_THE_FILE = ("will be deprecated in", "Exp name: ")


class CalmConsole(logging.Filter):
    """Filter of a logger's console: until it is opened, warnings alone pass; from then on nearly everything."""

    def __init__(self):
        super().__init__()
        self.is_open = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is shown."""
        shown = self.is_open or record.levelno >= logging.WARNING
        return shown and not any(text in str(record.msg) for text in FOR_THE_FILE)


class ShortFormatter(logging.Formatter):
    """Time and message; the short form of a :class:`LogLine`; the level of what is more than information."""

    def __init__(self):
        super().__init__("%(asctime)s %(message)s", "%m/%d %H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        record = copy.copy(record)  # other handlers get the same one
        record.msg = getattr(record.msg, "short", record.msg)
        if record.levelno >= logging.WARNING:
            record.msg = f"{record.levelname}: {record.msg}"
        return super().format(record)


def calm(logger: MMLogger) -> CalmConsole:
    """Quieten the console of a logger; its file stays as it is.

    Returns:
        CalmConsole: to be opened.
    """
    console = CalmConsole()
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.addFilter(console)
            handler.setFormatter(ShortFormatter())
    return console
