"""Names of what a model predicts."""

import logging
from collections.abc import Mapping

from mmengine.config import Config
from mmengine.logging import print_log
from torch import nn

from hqm_mmdet.registry import DATASETS
from hqm_mmdet.safe_loading import CheckpointError

from .pipeline import unwrapped_test_dataset


def class_names(model: nn.Module, cfg: Config) -> dict:
    """Metainfo to show predictions with: of the checkpoint, else of the config's test data set, else numbers.

    Args:
        model (nn.Module): of :func:`init_model`.
        cfg (Config): its config.

    Returns:
        dict: ``classes``, ``verbs``, ``category_ids``, ``verb_ids``, and what else is known (``valid_pairs``).

    Raises:
        CheckpointError: the model predicts other numbers of classes or verbs.
    """
    metainfo = dict(model.dataset_meta or {})
    if not all(key in metainfo for key in ("classes", "verbs")):
        # The checkpoint goes before: the config's data set may have been replaced since.
        metainfo = {**_dataset_metainfo(cfg), **metainfo}
    head = model.bbox_head
    for key, count, what in (("classes", head.num_obj_classes, "object"), ("verbs", head.num_verbs, "verb")):
        if key not in metainfo:
            print_log(f"Neither checkpoint nor config name the {key}; numbers are shown.", "current", logging.WARNING)
            metainfo[key] = tuple(f"{what} {i}" for i in range(count))
    _check(metainfo, head, getattr(model, "checkpoint", None))
    # Files need ids. Without the data set's own they count from 1, as COCO's and HICO-DET's verbs do.
    metainfo.setdefault("category_ids", tuple(range(1, len(metainfo["classes"]) + 1)))
    metainfo.setdefault("verb_ids", tuple(range(1, len(metainfo["verbs"]) + 1)))
    return metainfo


def _check(metainfo: Mapping, head: nn.Module, name: str | None) -> None:
    """One more object class is allowed: a model may have one of its own for an absent object."""
    classes, verbs = len(metainfo["classes"]), len(metainfo["verbs"])
    if verbs != head.num_verbs or not head.num_obj_classes - 1 <= classes <= head.num_obj_classes:
        whose = f"Checkpoint {name}: the" if name else "The"
        raise CheckpointError(
            f"{whose} model predicts {head.num_obj_classes} object classes and {head.num_verbs} verbs, but {classes} "
            f"and {verbs} are named. Do checkpoint and config belong to the same data set?"
        )


def _dataset_metainfo(cfg: Config) -> dict:
    """Class tables of the test data set, without reading its annotations."""
    dataset = unwrapped_test_dataset(cfg)
    if "type" not in dataset:
        return {}
    # Lazy and without pipeline, so that neither annotations nor images have to be there.
    return dict(DATASETS.build(dict(dataset, lazy_init=True, pipeline=[])).metainfo)
