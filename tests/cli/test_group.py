"""hqm-mmdet: the list of commands, and what all commands have in common."""

import errno
import os
import subprocess
import sys

import click
import pytest

from hqm_mmdet.cli.settings import parse_settings
from hqm_mmdet_cli import COMMANDS, installation, main
from hqm_mmdet_cli.command import ToolCommand
from hqm_mmdet_cli.errors import REMEDIES, UsageError
from hqm_mmdet_cli.options import repeat_options
from tests.cli.running import run
from tests.conftest import REPOSITORY

HEAVY = ("torch", "mmengine", "mmdet", "mmcv", "numpy", "hqm_mmdet")


def start(*arguments, cwd=None):
    """In a process of its own, which looks for modules in ``cwd`` first."""
    code = "import sys; from hqm_mmdet_cli import main\ntry: main(prog_name='hqm-mmdet')\n"
    code += "finally: print([name for name in HEAVY if name in sys.modules])".replace("HEAVY", str(HEAVY))
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd)


def test_help_names_all_commands_and_imports_none():
    done = start("--help")
    assert done.returncode == 0 and done.stdout.endswith("[]\n")
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in done.stdout and line in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, capsys):
    command = main.get_command(click.Context(main), name)
    assert isinstance(command, click.Command)
    assert run(name, "--help") == 0
    assert f"{name} [OPTIONS]" in capsys.readouterr().out
    assert command.get_short_help_str()


def test_unknown_command(capsys):
    assert run("trian") == 2
    assert "No such command 'trian'. Did you mean 'train'?" in capsys.readouterr().err


def test_package_that_can_not_be_imported(tmp_path):
    (tmp_path / "hqm_mmdet").mkdir()
    (tmp_path / "hqm_mmdet" / "__init__.py").write_text("raise ImportError('no OpenMMLab stack')\n")
    done = start("train", "qpic_toy", cwd=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "no OpenMMLab stack" in done.stderr and "hqm-mmdet doctor" in done.stderr


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("c.py --x a b --y 3", "c.py --x a --x b --y 3"),
        ("--x a --x b c", "--x a --x b --x c"),
        ("--x --y 3 4", "--x --y 3 4"),
        ("--x a -- b", "--x a -- b"),
        ("--x=a b", "--x=a b"),
        ("", ""),
    ],
)
def test_options_with_several_values(given, expected):
    assert repeat_options(given.split(), {"--x"}) == expected.split()


def test_settings_are_read_as_mmengine_does():
    assert parse_settings(()) == {}
    assert parse_settings(("a.b=1", "c=[x,2]", "d=x=y")) == {"a.b": 1, "c": ["x", 2], "d": "x=y"}
    with pytest.raises(UsageError, match="expected KEY=VALUE, got 'a'"):
        parse_settings(("a",))
    for value in ("dict(b=1.0,c=0.5)", "{b: 1, c: 2}", "[dict(b=1)]"):
        with pytest.raises(UsageError, match=r"holds a dict. Set its entries one by one: KEY.ENTRY=VALUE"):
            parse_settings((f"a={value}",))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EEXIST, errno.EROFS, errno.EACCES, errno.ENOTDIR])
def test_errors_of_the_system_get_a_remedy(number, capsys):
    def fail():
        raise OSError(number, os.strerror(number), "results/x.json")

    assert ToolCommand("tool", callback=fail).main([], standalone_mode=False) == 2
    message = capsys.readouterr().err.splitlines()[0]
    assert f"'results/x.json'. {REMEDIES[number]}" in message


def test_ctrl_c_gives_130(capsys):
    def fail():
        raise KeyboardInterrupt

    assert ToolCommand("tool", callback=fail).main([], standalone_mode=False) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


@pytest.mark.parametrize("installed", (True, False))
def test_remedies_depend_on_the_installation(installed, monkeypatch, tmp_path):
    monkeypatch.setattr(installation, "_is_installed", lambda: installed)
    expected = "hqm-mmdet" if installed else "python -m hqm_mmdet_cli"
    assert installation.command("doctor") == f"{expected} doctor"
    assert installation.script("train.py") == REPOSITORY / "tools" / "train.py"
    monkeypatch.setattr(installation, "ROOT", tmp_path)  # as in site-packages
    assert installation.install_extra("demo") == "pip install 'hqm_mmdet[demo]'"
    assert installation.script("train.py") == tmp_path / "hqm_mmdet" / ".mim" / "tools" / "train.py"
