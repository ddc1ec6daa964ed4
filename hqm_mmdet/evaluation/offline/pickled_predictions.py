"""Prediction files in Python's pickle format, read without running code that they may hold."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from hqm_mmdet.safe_loading import load_untrusted
from hqm_mmdet.structures import HOIClasses
from hqm_mmdet.utils.plain_pickle import load_plain_pickle

from ..errors import PredictionError
from ..functional import AgentTable, VCOCORoles
from ..metrics.records import to_numpy
from .file_prediction import FORMATS, FilePrediction, NamedEntry, read_box_ids, read_boxes
from .hoitr_predictions import read_hoitr_outputs

TORCH_FILES = b"PK\x03\x04", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # how torch.save begins: since 1.6, before
QPIC_KEYS = ("boxes", "labels", "verb_scores", "sub_ids", "obj_ids")


def read_pickled_predictions(path: Path, metainfo: Mapping) -> Iterator[FilePrediction]:
    """mmengine's, QPIC's, V-COCO's or HoiTransformer's list; see :func:`~.prediction_files.read_predictions`."""
    # Whoever made the file: none of it is run.
    if _is_torch_file(path):
        content = load_untrusted(path, "cpu")
    else:
        content = load_plain_pickle(path, tensors=True, stand_ins=STAND_INS)
    first = content[0] if isinstance(content, list) and content else None
    if content == []:
        return
    if not isinstance(first, Mapping):
        raise PredictionError(f"{path}: holds {type(content).__name__}, expected a list of dicts. Known are {FORMATS}")
    if "person_box" in first:
        roles = VCOCORoles(tuple(metainfo["verbs"]))
        if not roles.roles:
            raise PredictionError(f"{path}: V-COCO's official detections can be evaluated on V-COCO only (vcoco).")
        yield from _read_official(path, content, roles)
    elif "pred_pairs" in first:
        for n, sample in enumerate(content):
            with NamedEntry(path, n, sample, key="img_path"):
                pairs, name = sample["pred_pairs"], sample["img_path"]
                if not isinstance(pairs, Mapping) or not isinstance(name, str):
                    raise ValueError("pred_pairs must be a dict, and img_path a name")
                yield FilePrediction(n, name, dict(pred_pairs=pairs))
    elif "action_pred_logits" in first:
        yield from read_hoitr_outputs(path, content, metainfo)
    elif all(key in first for key in QPIC_KEYS):
        for n, raw in enumerate(content):
            with NamedEntry(path, n, raw):
                yield FilePrediction(n, n, dict(pred_pairs=_qpic_pairs(raw)), by_position=True)
    else:
        raise PredictionError(f"{path}: entry 0 has the keys {sorted(map(str, first))}. Known are {FORMATS}")


class CacheTemplate(dict):
    """Stands in for the class of UPT's, PViC's and SCG's V-COCO caches: what is not stored means no detection.

    A missing action has score 0, a missing role score 0 and a tiny box. Source: their ``CacheTemplate``, ``utils.py``.
    """

    def __missing__(self, key: str):
        return 0.0 if key.endswith("_agent") else [0.0, 0.0, 0.1, 0.1, 0.0]


# Plain values under the names of classes; HOIClasses is in our own dumps of models that score HOI classes.
STAND_INS = dict(CacheTemplate=CacheTemplate, HOIClasses=HOIClasses)


def _is_torch_file(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(32).startswith(TORCH_FILES)


def _qpic_pairs(raw: Mapping) -> dict:
    boxes, labels, scores, sub, obj = (to_numpy(raw[key]) for key in QPIC_KEYS)
    boxes, labels = read_boxes(boxes), labels.astype(np.int64)
    if len(labels) != len(boxes) or len(sub) != len(obj):
        raise ValueError(f"{len(boxes)} boxes with {len(labels)} labels, {len(sub)} subjects with {len(obj)} objects")
    sub, obj = read_box_ids(np.stack([sub, obj], axis=-1), len(boxes)).T
    if (obj < 0).any():
        raise ValueError("obj_ids holds -1; here a pair without object has one with the label of no class")
    return dict(
        sub_bboxes=boxes[sub],
        obj_bboxes=boxes[obj],
        obj_labels=labels[obj],
        sub_labels=labels[sub],
        verb_scores=scores,
    )


def _read_official(path: Path, detections: list, roles: VCOCORoles) -> Iterator[FilePrediction]:
    image_ids = []
    for n, detection in enumerate(detections):
        with NamedEntry(path, n, detection):
            image_ids.append(int(detection["image_id"]))
    # groupby joins neighbours only; a stable sort keeps the order that decides ties.
    order = sorted(range(len(detections)), key=image_ids.__getitem__)
    for image_id, group in groupby(order, key=image_ids.__getitem__):
        group = list(group)
        with NamedEntry(path, group[0], dict(file_name=f"image_id {image_id}")):
            agents = _agent_table([detections[n] for n in group], roles)
            yield FilePrediction(group[0], image_id, dict(pred_agents=agents))


def _agent_table(detections: Sequence[Mapping], roles: VCOCORoles) -> AgentTable:
    found = np.array([[d[role] for role in roles.roles] for d in detections], np.float32)  # (N, R, 5)
    agent = np.array([[d[f"{action}_agent"] for action in roles.actions] for d in detections], np.float32)
    boxes = np.array([d["person_box"] for d in detections], np.float32).reshape(-1, 4)
    if np.isinf(agent).any() or np.isinf(found).any():
        raise ValueError("an infinite score or coordinate; NaN means none")
    return AgentTable(np.zeros(len(boxes), np.int64), boxes, agent, found[:, :, :4], found[:, :, 4])
