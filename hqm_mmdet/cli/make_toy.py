"""``hqm-mmdet make-toy``, ``tools/dataset_converters/make_toy_hoi.py``."""

import json

import click

from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi


def make_toy(out_dir: str, overwrite: bool, quiet: bool, **settings) -> None:
    """Make the data set and print what it holds."""
    made = make_toy_hoi(out_dir, ToySettings(**settings), not quiet, overwrite)
    counts = json.loads((made / "toy_hoi.json").read_text(encoding="utf-8"))["counts"]
    for split, numbers in counts.items():
        click.echo(
            f"{made} {split}: {numbers['images']} images, {numbers['boxes']} boxes, "
            f"{numbers['pairs']} pairs, {len(numbers['triplets'])} triplets"
        )
