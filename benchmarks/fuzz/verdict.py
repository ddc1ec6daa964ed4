"""What may come of an input: success, or one clear message."""

import logging
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click
from click.testing import CliRunner

from hqm_mmdet_cli import main
from hqm_mmdet_cli.errors import is_user_error, message_of

SECONDS = 60  # that an input may take; a hundred times the usual, as machines are shared
LONGEST = 20_000  # characters of a message; it may repeat a user's long word


@dataclass(frozen=True)
class Verdict:
    """Of one input.

    Args:
        outcome (str): ``done``, ``told``, or what is wrong: ``failed``.
        detail (str): the message, or the traceback.
    """

    outcome: str
    detail: str = ""


class TooLong(BaseException):
    """Past every handler: the input takes too long."""


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Break off what takes longer."""

    def stop(*_):
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def judge(action: Callable[[], Verdict | None], names: tuple[str, ...] = ()) -> Verdict:
    """Run an input.

    Args:
        action (callable): gives a verdict of its own, or nothing for success.
        names (tuple[str]): of which a message must name one: the file.
    """
    try:
        with warnings.catch_warnings(), time_limit(SECONDS):
            warnings.simplefilter("ignore")
            verdict = action() or Verdict("done")
    except TooLong:
        return Verdict("failed", f"not done after {SECONDS} s")
    except (KeyboardInterrupt, SystemExit) as error:
        return Verdict("failed", repr(error))
    except Exception as error:
        if not is_user_error(error):
            return Verdict("failed", traceback.format_exc())
        verdict = Verdict("told", message_of(error))
    if verdict.outcome != "told":
        return verdict
    return unclear(verdict.detail, names) or verdict


def unclear(message: str, names: tuple[str, ...]) -> Verdict | None:
    """The verdict on a message that helps nobody."""
    if not message.strip() or "Traceback" in message:
        return Verdict("failed", f"no message, or a traceback: {message!r}")
    if len(message) > LONGEST:
        return Verdict("failed", f"a message of {len(message)} characters: {message[:300]} ...")
    if names and not any(name in message for name in names):
        return Verdict("failed", f"a message that names none of {', '.join(names)}: {message}")
    return None


def run_command(*words) -> Verdict:
    """Run ``hqm-mmdet`` in this process; exit statuses 0 and 1 are success (1: there is something to tell)."""
    result = CliRunner().invoke(main, [str(word) for word in words], prog_name="hqm-mmdet")
    if result.exception is not None and not isinstance(result.exception, SystemExit | click.ClickException):
        raise result.exception
    if result.exit_code in (0, 1):
        return Verdict("failed", result.output) if "Traceback" in result.output else Verdict("done")
    if result.exit_code != 2:
        return Verdict("failed", f"exit status {result.exit_code}: {result.output}")
    lines = result.output.splitlines()
    told = [i for i, line in enumerate(lines) if line.lower().startswith("error: ")]
    if len(told) != 1:
        return Verdict("failed", f"{len(told)} messages: {result.output[-2000:]}")
    return Verdict("told", "\n".join(lines[told[0] :]))


def quieten() -> None:
    """No logs: the messages count, and thousands of warnings would hide them."""
    logging.disable(logging.CRITICAL)
