"""``hqm-mmdet detect``, ``tools/detect.py``."""

import click

from hqm_mmdet.apis.detect import write_detections
from hqm_mmdet.evaluation.offline import DATASETS

from .base import FiniteRange, ToolCommand, require_device, writable_file
from .suppress import metainfo_of


@click.command(cls=ToolCommand)
@click.argument("config")
@click.argument("checkpoint")
@click.option("--images", required=True, metavar="FOLDER", help="Images to look at; also a file or a pattern.")
@click.option("--out", required=True, callback=writable_file, metavar="JSON", help="The detection file.")
@click.option("--dataset", type=click.Choice(sorted(DATASETS)), help="Write its category ids, matched by class name.")
@click.option("--score-thr", type=FiniteRange(0, 1), default=0.05, show_default=True, help="Least score.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def detect(
    config: str,
    checkpoint: str,
    images: str,
    out: str,
    dataset: str | None,
    score_thr: float,
    device: str,
    quiet: bool,
) -> None:
    """Find objects with an mmdet detector (CONFIG, CHECKPOINT), for two-stage models.

    Writes COCO's result JSON, which dataset.detections of a config reads. See docs/two_stage.md.

    \b
    detect detr.py detr.pth --images data/hico_20160224_det/images/test2015 --dataset hico
           --out data/hico_20160224_det/detections/test2015.json
    """
    require_device(device)
    metainfo = metainfo_of(dataset, []) if dataset else None
    # Boxes must be in the frame in which the data set reads its images.
    upright = DATASETS[dataset][1].UPRIGHT if dataset else True
    count = write_detections(config, checkpoint, images, out, metainfo, score_thr, device, not quiet, upright)
    click.echo(f"{count} boxes; wrote {out}")
