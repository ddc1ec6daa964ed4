"""``hqm-mmdet detect``, ``tools/detect.py``."""

import click

from hqm_mmdet.apis.detect import write_detections
from hqm_mmdet.evaluation.offline import DATASETS

from .settings import require_device
from .suppress import metainfo_of


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
    """Detect and write."""
    require_device(device)
    metainfo = metainfo_of(dataset, []) if dataset else None
    # Boxes must be in the frame in which the data set reads its images.
    upright = DATASETS[dataset][1].UPRIGHT if dataset else True
    count = write_detections(config, checkpoint, images, out, metainfo, score_thr, device, not quiet, upright)
    click.echo(f"{count} boxes; wrote {out}")
