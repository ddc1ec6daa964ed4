"""``hqm-mmdet convert-predictions``."""

import click

from hqm_mmdet.evaluation.exchange import write_predictions

from .evaluation import load_images, tell_unknown, warn_of_doubts, warn_of_missing


def convert_predictions(file: str, out: str, to: str, quiet: bool, continuous: bool, **options) -> None:
    """Read, write, say what was doubtful."""
    images = load_images(**options)
    found = write_predictions(file, out, to, images, not quiet, continuous)
    warn_of_missing(file, found.missing, len(images.file_names))
    warn_of_doubts(file, found.warnings)
    tell_unknown(file, found.unknown)
    click.echo(f"wrote {out}: {len(images.file_names)} images")
