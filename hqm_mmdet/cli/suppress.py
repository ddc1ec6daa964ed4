"""``hqm-mmdet suppress``."""

import json
from pathlib import Path

import click
from rich.progress import track

from hqm_mmdet.apis.suppress_file import FileNames, FileSuppression, each_entry, read_entries
from hqm_mmdet.evaluation.offline import DATASETS, BoxReading
from hqm_mmdet.evaluation.offline.guessing import dataset_of_image
from hqm_mmdet.models.interactiveness import NonInteractionSuppression, SuppressionThresholds
from hqm_mmdet.models.interactiveness.non_interaction_suppression import MODES
from hqm_mmdet.utils.atomic_io import write_atomically
from hqm_mmdet.utils.launch import UsageError

from .base import FiniteRange, ToolCommand, require_device, writable_file
from .evaluation_options import box_options, tell_doubt


@click.command(cls=ToolCommand)
@click.argument("predictions")
@click.option("--images", required=True, metavar="FOLDER", help="The images that were predicted.")
@click.option("--checkpoint", required=True, metavar="FILE", help="An interactiveness network.")
@click.option("--out", required=True, callback=writable_file, metavar="JSON", help="Where the changed predictions go.")
@click.option("--mode", type=click.Choice(MODES), default="suppress", show_default=True, help="What happens to scores.")
@click.option("--thresholds", metavar="JSON", help="What search-thresholds writes. Default: the two numbers below.")
@click.option("--above", type=FiniteRange(0, 1), default=0.9, show_default=True, help="P(non-interactive) exceeds.")
@click.option("--below", type=FiniteRange(0, 1), default=0.1, show_default=True, help="Largest P(interactive).")
@click.option(
    "--dataset", type=click.Choice(sorted(DATASETS)), help="Names of classes. Default: what image names tell."
)
@box_options
@click.option("--keep-judgements", is_flag=True, help="Write what the network says, too; hqm-mmdet report shows it.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def suppress(
    predictions: str,
    images: str,
    checkpoint: str,
    out: str,
    mode: str,
    thresholds: str | None,
    above: float,
    below: float,
    dataset: str | None,
    keep_judgements: bool,
    device: str,
    quiet: bool,
    boxes: str,
    strict: bool,
) -> None:
    """Lower the scores of pairs in PREDICTIONS that do not interact.

    Any code base may have made the file (JSON, or a pickle of `hqm-mmdet test`, which needs --dataset). Pairs that pass
    both thresholds get scores of 0 (suppress), or every score is multiplied by the probability that its pair interacts
    (multiply). With --above 1 nothing changes.

    \b
    hqm-mmdet suppress predictions.json --images images/test --checkpoint interactiveness.pth --out suppressed.json
    """
    require_device(device)
    metainfo = metainfo_of(dataset, [])
    entries = read_entries(predictions, metainfo)
    metainfo = metainfo or metainfo_of(None, entries)
    limits = SuppressionThresholds(above, below)
    if thresholds is not None:
        if metainfo is None:
            raise UsageError("--thresholds names classes; say with --dataset which data set's they are.")
        limits = SuppressionThresholds.from_file(thresholds, tuple(metainfo["classes"]))
    suppression = NonInteractionSuppression(checkpoint, mode=mode)
    suppression.thresholds = limits
    names, reading = metainfo and FileNames.of_metainfo(metainfo), BoxReading(boxes, images, strict)
    run = FileSuppression(suppression, images, names, device, reading, keep_judgements)
    changed = each_entry(predictions, entries, run)
    changed = list(track(changed, "suppressing", len(entries), disable=quiet))
    tell_doubt(predictions, run)
    write_atomically(out, (json.dumps(changed, separators=(",", ":")) + "\n").encode())
    what = f"{run.counts.suppressed} suppressed" if mode == "suppress" else "scores multiplied"
    click.echo(f"{run.counts.pairs} pairs in {run.counts.images} images, {what}; wrote {Path(out)}")


def metainfo_of(dataset: str | None, entries: list[dict]) -> dict | None:
    """Class names of a data set, given or told by the image names; None if neither says."""
    if dataset is None and entries:
        dataset = dataset_of_image(str(entries[0].get("file_name")))
    if dataset in (None, "own"):
        return None
    metainfo = dict(DATASETS[dataset][1].METAINFO)
    for names, ids in (("classes", "category_ids"), ("verbs", "verb_ids")):
        metainfo.setdefault(ids, range(1, len(metainfo[names]) + 1))
    return metainfo
