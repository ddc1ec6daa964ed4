"""``hqm-mmdet configs``."""

from pathlib import Path

import click

from hqm_mmdet.configuring import ModelIndex, find_config, parse_config
from hqm_mmdet.utils.atomic_io import write_atomically
from hqm_mmdet.utils.launch import UsageError

from .base import ToolCommand


@click.command(cls=ToolCommand)
@click.argument("words", nargs=-1)
@click.option("--copy", metavar="NAME", help="Write this config into a file of your own.")
@click.option("--out", type=Path, metavar="FILE", help="With --copy: the file. Default: NAME.py here.")
@click.option("--inherit", is_flag=True, help="With --copy: a file of two lines that inherits; the project must stay.")
def configs(words: tuple[str, ...], copy: str | None, out: Path | None, inherit: bool) -> None:
    """List the project's configs with method, data set and published result; all WORDS must be in a name.

    \b
    hqm-mmdet configs qpic hico
    hqm-mmdet configs --copy qpic_hqm_hico --out mine.py
    """
    if copy is not None:
        click.echo(f"wrote {write_copy(copy, out, inherit)}")
        return
    if out or inherit:
        raise UsageError("--out and --inherit belong to --copy NAME.")
    rows = [row for row in table() if all(word in row[0] for word in words)]
    if not rows:
        raise UsageError(f"no config has {' and '.join(words)} in its name.")
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for row in rows:
        click.echo("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]).rstrip())


def table() -> list[tuple[str, str, str, str]]:
    """Name, method, data set, published result."""
    rows = []
    for model in ModelIndex.read().models.values():
        published = "{1} {0} (published)".format(*model.published) if model.published else ""
        rows.append((model.name, model.collection, model.dataset, published))
    return sorted(rows)


def write_copy(name: str, out: Path | None, inherit: bool) -> Path:
    """A config as a file of the user's.

    Raises:
        FileNotFoundError: no such config.
        UsageError: the file is there already.
    """
    source = find_config(name).resolve()
    out = out or Path(f"{source.stem}.py")
    if out.exists():
        raise UsageError(f"{out} is there already. Name another file with --out, or remove it.")
    text = f'_base_ = ["{source.as_posix()}"]\n' if inherit else parse_config(source).pretty_text
    head = f"# {source.stem} of hqm_mmdet; yours to change.\n"
    write_atomically(out, (head + text).encode())
    return out
