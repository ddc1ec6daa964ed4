"""Errors for users: what all of them promise."""

import builtins
import importlib
import inspect
import pkgutil

import pytest

import hqm_mmdet
from hqm_mmdet.errors import UserError
from hqm_mmdet_cli.command import ToolCommand
from tests.test_internals import NEED_EXTRAS

for module in pkgutil.walk_packages(hqm_mmdet.__path__, "hqm_mmdet."):
    if module.name not in NEED_EXTRAS:
        importlib.import_module(module.name)


def all_errors(base=UserError):
    for error in base.__subclasses__():
        if error.__module__.startswith("hqm_mmdet."):
            yield error
            yield from all_errors(error)


ERRORS = sorted(set(all_errors()), key=lambda error: error.__name__)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_is_told_in_one_message(error, capsys):
    """It can be made of one string, as mmengine's registry does, and is a built-in one too."""
    assert any(getattr(builtins, base.__name__, None) is base for base in error.__mro__[1:-3])
    assert inspect.getdoc(error) != inspect.getdoc(UserError)

    def fail():
        raise type(error("x"))("the entry and the remedy")

    assert ToolCommand("tool", callback=fail).main([], standalone_mode=False) == 2
    assert capsys.readouterr().err.splitlines()[0] == "error: the entry and the remedy"


def test_programming_errors_keep_their_traceback():
    def fail():
        raise ValueError("a mistake of ours")

    with pytest.raises(ValueError, match="a mistake of ours"):
        ToolCommand("tool", callback=fail).main([], standalone_mode=False)
