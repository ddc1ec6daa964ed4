"""``hqm-mmdet mmdet``: mmdet's own tools, in a process that knows this project.

Started by themselves they know neither its config addresses nor, with mmcv-lite, what stands in for compiled ops.
"""

import importlib
import importlib.util
import runpy
import sys
from pathlib import Path

import click

from .installation import command
from .nearest import nearest


@click.command("mmdet", context_settings=dict(ignore_unknown_options=True, allow_interspersed_args=False))
@click.argument("tool", required=False)
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def mmdet(tool: str | None, args: tuple[str, ...]) -> None:
    """Run TOOL of mmdet with its own arguments; without one, list them.

    \b
    hqm-mmdet mmdet test configs/qpic_toy.py CHECKPOINT
    hqm-mmdet mmdet analysis_tools/analyze_logs plot_curve LOG.json --keys loss --out curve.png
    """
    tools = installed_tools()
    if tool is None:
        click.echo("\n".join(tools))
        return
    path = tools.get(tool.removesuffix(".py"))
    if path is None:
        raise click.UsageError(f"mmdet has no tool {tool!r}.{nearest(tool, tools)} `{command('mmdet')}` lists them.")
    importlib.import_module("hqm_mmdet")
    sys.argv = [str(path), *args]
    sys.path.insert(0, str(path.parent))  # where Python looks first when a script is started
    runpy.run_path(str(path), run_name="__main__")


def installed_tools() -> dict[str, Path]:
    """Files of mmdet's tools by name, ``analysis_tools/get_flops``.

    Raises:
        FileNotFoundError: mmdet is not installed, or came without its tools.
    """
    package = importlib.util.find_spec("mmdet")
    folder = Path(package.origin).parent / ".mim" / "tools" if package else Path()
    if package is None or not folder.is_dir():
        raise FileNotFoundError(f"mmdet's tools are not in {folder}. `{command('doctor')}` says what is missing.")
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.rglob("*.py"))}
