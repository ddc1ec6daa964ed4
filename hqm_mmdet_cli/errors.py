"""What a user can mend, told in one message."""

import errno
import os
import sys
import traceback

EXIT_FOUND = 1  # done, but something was found
EXIT_NOT_DONE = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells count
HINT = "\n(--debug shows the traceback)"

# What to do about the errors of the operating system that name no remedy themselves.
REMEDIES = {
    errno.ENOSPC: "The disk is full: free some space, or write elsewhere.",
    errno.EDQUOT: "Your share of the disk is used up: free some space, or write elsewhere.",
    errno.EROFS: "The file system is read-only: write elsewhere.",
    errno.EACCES: "You may not do that there: change the permissions, or use another place.",
    errno.EPERM: "You may not do that there: change the permissions, or use another place.",
    errno.EEXIST: "Something of this name is in the way: remove it, or use another place.",
    errno.ENOTDIR: "A part of this path is a file, where a folder is needed: use another path.",
    errno.EISDIR: "This is a folder, where a file is needed: use another path.",
    errno.ENAMETOOLONG: "The name is too long: use a shorter one.",
    errno.EMFILE: "Too many files are open: raise the limit (`ulimit -n`), or use fewer --workers.",
}


class UserError(Exception):
    """Base of all errors whose message names the file or option, the entry and the remedy.

    The command line tells them in one message, without a traceback. A subclass inherits from a built-in exception as
    well, so that code which expects a ``ValueError`` or an ``OSError`` catches it. It must be constructible from one
    string: mmengine's registry builds the error anew to put the component's name in front.
    """


class UsageError(UserError, ValueError):
    """Arguments that can't be followed."""


def tell(error: BaseException, debug: bool = False) -> int:
    """Print what went wrong; returns the exit status.

    What a user can mend is one message, with ``debug`` or ``HQM_DEBUG=1`` below its traceback; all else is a traceback.
    """
    if isinstance(error, KeyboardInterrupt):
        print("Interrupted.", file=sys.stderr)
        return EXIT_INTERRUPTED
    debug = debug or os.environ.get("HQM_DEBUG") == "1"
    if debug or not is_user_error(error):
        traceback.print_exception(error)
    if is_user_error(error):
        print(f"error: {message_of(error)}{'' if debug else HINT}", file=sys.stderr)
    return EXIT_NOT_DONE


def is_user_error(error: BaseException) -> bool:
    """Missing or damaged files, a loss that is not finite, and all that this package raises for users."""
    return isinstance(error, UserError | OSError | FloatingPointError)


def message_of(error: BaseException) -> str:
    """The message, without the traceback that torch puts into errors of data loading processes; with a remedy."""
    lines = str(error).strip().splitlines()
    text = lines[-1].split(": ", 1)[-1] if "Original Traceback (most recent call last):" in lines else str(error)
    return f"{text}{'' if text.endswith('.') else '.'} {remedy}" if (remedy := remedy_of(error)) else text


def remedy_of(error: BaseException) -> str | None:
    """What to do about an error of the operating system; None for others, whose messages say it."""
    return REMEDIES.get(error.errno) if isinstance(error, OSError) else None
