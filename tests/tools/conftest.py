"""Tools run as modules of this process, or as a user would start them."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hqm_mmdet.utils.launch import run_tool
from tests.engine.small_training import build_config

ROOT = Path(__file__).parents[2]


@pytest.fixture
def call(monkeypatch, tmp_path):
    """Function that runs ``tools/NAME.py`` with arguments here, in an empty folder, and returns the exit status.

    A tool is a command of ``hqm_mmdet.cli``, or has a ``main`` and ``parse_args`` of its own.
    """
    monkeypatch.chdir(tmp_path)

    def run(name, *arguments):
        spec = importlib.util.spec_from_file_location(f"tool_{name}", ROOT / "tools" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        commands = [value for value in vars(module).values() if isinstance(value, click.Command)]
        if not commands:
            return run_tool(module.main, module.parse_args())
        with pytest.raises(SystemExit) as ended:
            commands[0]()
        return ended.value.code

    return run


@pytest.fixture
def start(tmp_path):
    """Function that starts a command in an empty folder, as a user would."""

    def run(*command, **variables):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHON": sys.executable, **variables}
        return subprocess.run(
            [str(word) for word in command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )

    return run


@pytest.fixture
def small_config(tmp_path):
    """Function that writes a config file of the small training."""

    def write(name="small", **options):
        config = build_config(tmp_path / name, **options)
        config.custom_imports = dict(imports=["tests.engine.small_training"])
        config.auto_scale_lr = dict(enable=False, base_batch_size=6)
        config.dump(tmp_path / f"{name}.py")
        return tmp_path / f"{name}.py"

    return write
