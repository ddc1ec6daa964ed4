"""``hqm-mmdet convert``, ``tools/model_converters/convert.py``."""

import click

from hqm_mmdet.apis.conversion import convert_to_file
from hqm_mmdet.checkpoints import SOURCES, ConversionReport
from hqm_mmdet_cli.installation import command


def convert(
    src: str,
    dst: str,
    source: str | None,
    dataset: str,
    model: str | None,
    random_decoder: bool,
    config: str | None,
    partial: bool,
    trust: bool,
    quiet: bool,
) -> None:
    """Convert and say what became of each tensor."""
    options = dict(model=model, copy_decoder=not random_decoder, partial=partial, trust=trust)
    report, name = convert_to_file(src, dst, config, source=source, dataset=dataset, **options)
    click.echo(report.summary() if quiet else report)
    click.echo(f"wrote {dst}{what_for(report, name, dst)}")


def what_for(report: ConversionReport, config: str | None, dst: str) -> str:
    """What one does with the file."""
    if config is not None:
        return f" with the config {config} and its names: {command(f'predict photo.jpg --checkpoint {dst}')}"
    if SOURCES[report.source].initialises:
        return f"; training starts from it: {command(f'train CONFIG --cfg-options load_from={dst}')}"
    return "; it fits none of the project's configs of this method, so give --config wherever it is used"
