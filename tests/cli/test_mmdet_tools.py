"""``hqm-mmdet mmdet``."""

import sys

import pytest

from tests.cli.running import run
from tests.conftest import REPOSITORY


def test_tools_are_listed(capsys):
    assert run("mmdet") == 0
    assert {"test", "analysis_tools/get_flops", "misc/print_config"} <= set(capsys.readouterr().out.split())


def test_unknown_tool(capsys):
    assert run("mmdet", "analysis_tools/get_flopz") == 2
    error = capsys.readouterr().err
    assert "no tool 'analysis_tools/get_flopz'. Did you mean 'analysis_tools/get_flops'? `hqm-mmdet mmdet`" in error


@pytest.mark.parametrize("name", ("misc/print_config", "misc/print_config.py"))
def test_tool_gets_its_own_arguments(name, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "path", list(sys.path))
    config = str(REPOSITORY / "configs" / "qpic_hqm_toy.py")
    assert run("mmdet", name, config, "--cfg-options", "train_dataloader.batch_size=7") == 0
    printed = capsys.readouterr().out
    assert "batch_size=7" in printed and "type='QPIC'" in printed


def test_help_of_a_tool(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert run("mmdet", "misc/print_config", "--help") == 0
    assert "--save-path" in capsys.readouterr().out
