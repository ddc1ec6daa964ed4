"""Results of HoiTransformer: raw outputs written by ``torch.save``, or triplets as lines of JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.special import softmax

from ..errors import PredictionError
from ..metrics.records import to_numpy
from .file_prediction import FORMATS, FilePrediction, NamedEntry, ids_by_name

LOGITS = ("action_pred_logits", "object_pred_logits", "human_pred_logits")
BOXES = ("object_pred_boxes", "human_pred_boxes")
KEYS = ("id_list", "org_sizes", *LOGITS, *BOXES)
# The order of its V-COCO verbs, vcoco_verb_names.json. Of HICO-DET and HOI-A it is the usual one.
VCOCO_VERBS = (
    "surf_instr", "ski_instr", "cut_instr", "walk", "cut_obj", "ride_instr", "talk_on_phone_instr", "kick_obj",
    "work_on_computer_instr", "eat_obj", "sit_instr", "jump_instr", "lay_instr", "drink_instr", "carry_obj",
    "throw_obj", "eat_instr", "smile", "look_obj", "hit_instr", "hit_obj", "snowboard_instr", "run", "point_instr",
    "read_obj", "hold_obj", "skateboard_instr", "stand", "catch_obj",
)  # fmt: skip


def read_hoitr_outputs(path: Path, batches: Sequence, metainfo: Mapping) -> Iterator[FilePrediction]:
    """One image at a time of a list of batches, as HoiTransformer's ``test.py`` saves its model's outputs.

    Decoded as there: softmax over each of the three class layers, whose last output means "none" and whose output 0
    nothing; a score is verb x object x human. Boxes are cx, cy, w, h relative to the image. Two differences: boxes keep
    their fractions of a pixel, and all of an image's verbs go on to the metric, which takes the best 100 triplets by
    the product, where ``test.py`` takes 200 by the verb's probability (V-COCO, HOI-A: 35) and drops repetitions
    (``--pair-nms`` drops them here).

    Args:
        path (Path): the file, for messages.
        batches (Sequence): its content.
        metainfo (Mapping): of the data set.

    Raises:
        PredictionError: a batch lacks a part or has other sizes.
    """
    verbs = _verb_columns(metainfo)
    labels = {int(category): label for label, category in enumerate(metainfo["category_ids"])}
    entry = 0
    for n, batch in enumerate(batches):
        missing = [key for key in KEYS if key not in batch]
        if missing:
            raise PredictionError(
                f"{path}: looks like HoiTransformer's results, but batch {n} has no {', '.join(missing)}. Save all "
                f"that its test.py does: {', '.join(KEYS)}."
            )
        arrays = {key: to_numpy(batch[key]) for key in (*LOGITS, *BOXES)}
        for i, name in enumerate(batch["id_list"]):
            with NamedEntry(path, entry, dict(file_name=name)):
                size = [float(side) for side in batch["org_sizes"][i]]
                pairs = _decode({key: value[i] for key, value in arrays.items()}, size, verbs, labels)
                yield FilePrediction(entry, name, dict(pred_pairs=pairs))
            entry += 1


def _verb_columns(metainfo: Mapping) -> list[int]:
    """Output of the verb layer for each verb of the data set."""
    theirs = VCOCO_VERBS if set(metainfo["verbs"]) == set(VCOCO_VERBS) else tuple(metainfo["verbs"])
    return [theirs.index(verb) + 1 for verb in metainfo["verbs"]]


def _decode(outputs: Mapping[str, np.ndarray], size: Sequence[float], verbs: list[int], labels: Mapping) -> dict:
    action, thing, human = (softmax(outputs[key].astype(np.float64), axis=-1)[:, :-1] for key in LOGITS)
    if action.shape[1] != len(verbs) + 1:
        raise ValueError(
            f"action_pred_logits has {action.shape[1] + 1} outputs, a model of this data set {len(verbs) + 2} "
            f"(background, {len(verbs)} verbs, none)"
        )
    categories = [category for category in labels if category < thing.shape[1]]
    if len(categories) < len(labels):
        raise ValueError(f"object_pred_logits has {thing.shape[1] + 1} outputs, ids reach to {max(labels)}")
    thing = thing[:, categories]
    best = thing.argmax(axis=1)
    height, width = size
    scale = np.array([width, height, width, height])
    obj, sub = (_corners(outputs[key]) * scale for key in BOXES)
    scores = action[:, verbs] * (thing.max(axis=1) * human.max(axis=1))[:, None]
    return dict(
        sub_bboxes=sub.astype(np.float32),
        obj_bboxes=obj.astype(np.float32),
        obj_labels=np.array([labels[category] for category in categories])[best],
        verb_scores=scores.astype(np.float32),
    )


def _corners(boxes: np.ndarray) -> np.ndarray:
    centre, half = boxes[:, :2].astype(np.float64), boxes[:, 2:] / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def is_hoitr_lines(text: str) -> bool:
    """Whether a file's text is what ``test.py`` gives to HoiTransformer's evaluation scripts."""
    return text.startswith("{") and '"hoi_list"' in text[:1000]


def hoitr_line_entries(text: str, path: Path, metainfo: Mapping) -> Iterator[dict]:
    """Entries of the field's format, one per line; scores are ``i_cls`` x ``o_cls`` x ``h_cls``.

    Raises:
        PredictionError: a line is no JSON, or names what the data set does not have.
    """
    classes, verbs = ids_by_name(metainfo)
    for n, line in enumerate(filter(None, map(str.strip, text.splitlines()))):
        try:
            raw = json.loads(line)
        except json.JSONDecodeError as error:
            raise PredictionError(f"{path}: line {n}: {error}. Write it again. Known are {FORMATS}") from error
        with NamedEntry(path, n, dict(file_name=raw.get("image_id", "?"))):
            boxes, hois = [], []
            for found in raw["hoi_list"]:
                ends = len(boxes), len(boxes) + 1
                boxes += [dict(bbox=found[f"{end}_box"], category_id=classes[found[f"{end}_name"]]) for end in "ho"]
                score = found["i_cls"] * found["o_cls"] * found["h_cls"]
                verb = verbs[found["i_name"]]
                hois.append(dict(subject_id=ends[0], object_id=ends[1], category_id=verb, score=score))
            yield dict(file_name=raw["image_id"], predictions=boxes, hoi_prediction=hois)
