"""``hqm-mmdet detect``, ``tools/detect.py``."""

import click

from .checks import require_checkpoint, require_inputs, require_order
from .command import ToolCommand, work
from .evaluation_options import DATASETS
from .options import FiniteRange, device, quiet, writable_file


@click.command(cls=ToolCommand)
@click.argument("config")
@click.argument("checkpoint")
@click.option("--images", required=True, metavar="FOLDER", help="Images to look at; also a file or a pattern.")
@click.option("--out", required=True, callback=writable_file, metavar="JSON", help="The detection file.")
@click.option("--dataset", type=click.Choice(DATASETS), help="Write its category ids, matched by class name.")
@click.option("--score-thr", type=FiniteRange(0, 1), default=0.05, show_default=True, help="Least score.")
@device
@quiet
def detect(**options) -> int:
    """Find objects with an mmdet detector (CONFIG, CHECKPOINT), for two-stage models.

    Writes COCO's result JSON, which dataset.detections of a config reads. See docs/two_stage.md.

    \b
    detect detr.py detr.pth --images data/hico_20160224_det/images/test2015 --dataset hico
           --out data/hico_20160224_det/detections/test2015.json
    """
    require_order(options["config"], options["checkpoint"])
    require_checkpoint(options["checkpoint"])
    require_inputs((options["images"],))
    return work("detect.detect")(**options)
