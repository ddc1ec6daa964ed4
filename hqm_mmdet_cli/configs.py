"""``hqm-mmdet configs``."""

from collections.abc import Sequence
from pathlib import Path

import click

from .checks import require_config, require_writable
from .command import ToolCommand, work
from .errors import UsageError
from .model_index import ModelIndex
from .project_files import project_configs


@click.command(cls=ToolCommand)
@click.argument("words", nargs=-1)
@click.option("--copy", metavar="NAME", help="Write this config into a file of your own.")
@click.option("--out", type=Path, metavar="FILE", help="With --copy: the file. Default: NAME.py here.")
@click.option("--inherit", is_flag=True, help="With --copy: a file of two lines that inherits; the project must stay.")
def configs(words: tuple[str, ...], copy: str | None, out: Path | None, inherit: bool) -> int:
    """List the project's configs with method, data set and published result; all WORDS must be in a name.

    \b
    hqm-mmdet configs qpic hico
    hqm-mmdet configs --copy qpic_hqm_hico --out mine.py
    """
    if copy is not None:
        require_config(copy)
        if out is not None:
            require_writable(out)
        return work("configs.copy_config")(name=copy, out=out, inherit=inherit)
    if out or inherit:
        raise UsageError("--out and --inherit belong to --copy NAME.")
    names = [name for name in project_configs() if all(word in name for word in words)]
    if not names:
        raise UsageError(f"no config has {' and '.join(words)} in its name.")
    list_configs(names)
    return 0


def list_configs(names: Sequence[str]) -> None:
    """Print a table."""
    rows = table(names)
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for row in rows:
        click.echo("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]).rstrip())


def table(names: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """Name, method, data set, published result."""
    models, rows = ModelIndex.read().models, []
    for name in names:
        model = models[name]
        published = "{1} {0} (published)".format(*model.published) if model.published else ""
        rows.append((name, model.collection, model.dataset, published))
    return rows
