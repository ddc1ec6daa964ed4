"""``hqm-mmdet configs``."""

from pathlib import Path

import click

from hqm_mmdet.configuring import find_config, parse_config
from hqm_mmdet.utils.atomic_io import write_atomically
from hqm_mmdet_cli.errors import UsageError


def copy_config(name: str, out: Path | None, inherit: bool) -> None:
    """Write a config as a file of the user's.

    Raises:
        UsageError: the file is there already.
    """
    source = find_config(name).resolve()
    out = out or Path(f"{source.stem}.py")
    if out.exists():
        raise UsageError(f"{out} is there already. Name another file with --out, or remove it.")
    text = f'_base_ = ["{source.as_posix()}"]\n' if inherit else parse_config(source).pretty_text
    head = f"# {source.stem} of hqm_mmdet; yours to change.\n"
    write_atomically(out, (head + text).encode())
    click.echo(f"wrote {out}")
