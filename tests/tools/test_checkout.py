"""Every script of a checkout runs the checkout's package, whether or not one is installed."""

import ast
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

from tests.tools.conftest import ROOT

SCRIPTS = [
    path
    for folder in ("tools", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if (text := path.read_text(encoding="utf-8")).startswith("#!") and "hqm_mmdet" in text
]
IMPORTS = (ast.Import, ast.ImportFrom)


def beginning(path: Path) -> ast.Module:
    """A script up to its first import of the package, without the imports of other distributions."""
    body = []
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, IMPORTS):
            name = statement.module if isinstance(statement, ast.ImportFrom) else statement.names[0].name
            if name.split(".")[0] in ("hqm_mmdet", "hqm_mmdet_cli"):
                break
            if name.split(".")[0] not in sys.stdlib_module_names:
                continue
        body.append(statement)
    return ast.Module(body, [])


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_checkout_comes_first(path, monkeypatch, tmp_path):
    (tmp_path / "hqm_mmdet").mkdir()
    (tmp_path / "hqm_mmdet" / "__init__.py").touch()
    others = [place for place in sys.path if Path(place).resolve() != ROOT]
    monkeypatch.setattr(sys, "path", [str(path.parent), str(tmp_path), *others])  # another version is installed
    exec(compile(beginning(path), str(path), "exec"), {"__file__": str(path), "__name__": "script"})
    assert Path(PathFinder.find_spec("hqm_mmdet").origin).is_relative_to(ROOT)


def test_a_converter_runs_from_the_checkout(start, tmp_path):
    (tmp_path / "hqm_mmdet").mkdir()
    (tmp_path / "hqm_mmdet" / "__init__.py").write_text("raise RuntimeError('not the checkout')\n")
    tool = ROOT / "tools" / "dataset_converters" / "make_toy_hoi.py"
    command = sys.executable, tool, "toy", "--num-train", "2", "--num-test", "1", "--quiet"
    done = start(*command, PYTHONPATH=str(tmp_path))
    assert done.returncode == 0 and "toy train: 2 images" in done.stdout, done.stderr
