"""``hqm-mmdet report``."""

import click

from .checks import require_folders, require_writable_folder
from .command import ToolCommand, work
from .errors import UsageError
from .evaluation_options import evaluation_options, require_evaluation_files

RESAMPLES = 500  # a test compares with hqm_mmdet.evaluation.analysis


@click.command(cls=ToolCommand)
@click.argument("predictions")
@evaluation_options
@click.option("--out", default="report", show_default=True, metavar="FOLDER", help="Where index.html is written.")
@click.option("--images", "folder", metavar="FOLDER", help="Image files; without them boxes are drawn on grey.")
@click.option("--compare", metavar="FILE", help="Predictions of an earlier run, to compare with.")
@click.option("--name", help="What the run is called. Default: the file's name.")
@click.option("--compare-name", help="What the earlier run is called. Default: the file's name.")
@click.option(
    "--num-images", type=click.IntRange(0), default=12, show_default=True, help="Best and worst images, of each."
)
@click.option(
    "--resamples",
    type=click.IntRange(0),
    default=RESAMPLES,
    show_default=True,
    help="Resamples of the images for 95 % confidence intervals; 0: none.",
)
@click.option("--quiet", is_flag=True, help="No progress.")
def report(predictions: str, folder: str | None, compare: str | None, **options) -> int:
    """Write a page about a prediction file, of this or another code base.

    One HTML file that needs no network: metrics, errors, classes, best and worst images, comparison with another
    run. PREDICTIONS is any file that `hqm-mmdet eval` takes. See docs/report.md.

    \b
    report predictions.pkl --ann-file data/hico_20160224_det/annotations/test_hico.json
           --images data/hico_20160224_det/images/test2015
    """
    require_evaluation_files(predictions, compare, **options)
    try:
        require_folders(folder)
    except FileNotFoundError as error:
        raise UsageError(f"--images {folder}: no such folder. Leave it out for boxes on grey.") from error
    require_writable_folder(options["out"])
    return work("report.report")(predictions=predictions, folder=folder, compare=compare, **options)
