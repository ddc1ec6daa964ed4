"""Data sets that a command line names."""

from hqm_mmdet.datasets.checking.sources import datasets_of_config, datasets_of_files

from .settings import read_config


def load_datasets(
    config: str | None,
    dataset: str | None,
    ann_file: tuple[str, ...],
    images: tuple[str, ...],
    names: str | None,
    coco_file: str | None,
    splits: tuple[str, ...],
    cfg_options: tuple[str, ...],
) -> dict:
    """Data sets by name, annotations not yet read."""
    if dataset:
        return datasets_of_files(dataset, list(ann_file), list(images) or None, names, coco_file)
    return datasets_of_config(read_config(config, cfg_options), splits)
