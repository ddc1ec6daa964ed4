"""Prediction files of any code base, as the samples that metrics take."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from hqm_mmdet.utils.plain_pickle import load_plain_pickle

from ..errors import PredictionError
from ..functional import AgentTable, VCOCORoles
from ..metrics.records import to_numpy
from .json_stream import iterate_json_list

FORMATS = (
    "a JSON list of {file_name, predictions, hoi_prediction}; a pickle of mmengine's DumpResults; QPIC's list of "
    "{boxes, labels, verb_scores, sub_ids, obj_ids} in the order of the annotation file (pickle); V-COCO's official "
    "list of detections (pickle). See docs/evaluation.md."
)
QPIC_KEYS = ("boxes", "labels", "verb_scores", "sub_ids", "obj_ids")


@dataclass(frozen=True, eq=False)
class FilePrediction:
    """What a file says about one image.

    Args:
        entry (int): position in the file, from 0.
        image (str | int): file name, or COCO image id, or position among the images (see ``by_position``).
        sample (dict): ``pred_pairs`` or ``pred_agents`` as metrics take them.
        by_position (bool): whether ``image`` is a position.
    """

    entry: int
    image: str | int
    sample: dict
    by_position: bool = False


def read_predictions(path: str | Path, metainfo: Mapping) -> Iterator[FilePrediction]:
    """Predictions of a file, one image at a time; the format is recognised by its content.

    Pickles are read without running code that they may hold.

    Args:
        path (str | Path): ``.json``, ``.json.gz``, ``.pkl`` or ``.pickle``.
        metainfo (Mapping): ``classes``, ``category_ids``, ``verbs``, ``verb_ids`` of the data set.

    Yields:
        FilePrediction: one per image.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: A damaged pickle, or one that holds more than plain values, arrays and tensors.
        PredictionError: no known format, or an entry is unfit.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"Prediction file {path.absolute()} does not exist.")
    if path.name.endswith((".json", ".json.gz")):
        yield from _read_json(path, metainfo)
    elif path.suffix in (".pkl", ".pickle"):
        yield from _read_pickle(path, metainfo)
    else:
        raise PredictionError(f"{path}: the name must end in .json, .json.gz, .pkl or .pickle. Known are {FORMATS}")


# ---- JSON


def _read_json(path: Path, metainfo: Mapping) -> Iterator[FilePrediction]:
    labels = {str(category): label for label, category in enumerate(metainfo["category_ids"])}
    verbs = {str(verb): label for label, verb in enumerate(metainfo["verb_ids"])}
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8") as file:
            text = file.read()
        for n, raw in enumerate(iterate_json_list(text)):
            with _naming(path, n, raw):
                pairs, partial = _pairs_of_entry(raw, labels, verbs)
                sample = dict(pred_pairs=pairs, partial_scores=partial)
                yield FilePrediction(n, raw["file_name"], sample)
    except (json.JSONDecodeError, UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise PredictionError(
            f"{path}: no readable JSON list ({error}). Write it again. Known are {FORMATS}"
        ) from error


class _naming:
    """Turns errors of an entry into a PredictionError that names it."""

    def __init__(self, path: Path, entry: int, raw):
        name = raw.get("file_name", "?") if isinstance(raw, Mapping) else "?"
        self.place = f"{path}: entry {entry} ({name})"

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if isinstance(error, (KeyError, TypeError, ValueError, IndexError)) and not isinstance(error, PredictionError):
            problem = f"no key {error}" if isinstance(error, KeyError) else str(error)
            raise PredictionError(f"{self.place}: {problem}. Correct the entry; format: docs/evaluation.md.") from error


def _pairs_of_entry(raw: Mapping, labels: Mapping[str, int], verbs: Mapping[str, int]) -> tuple[dict, bool]:
    """``pred_pairs`` of an entry, and whether its scores are partial (NaN = not predicted)."""
    boxes = _boxes([p["bbox"] for p in raw["predictions"]])
    box_labels = [_look_up(labels, p["category_id"], "category_id of a box") for p in raw["predictions"]]
    # One more row, which object_id -1 selects: no object.
    boxes = np.concatenate([boxes, np.zeros((1, 4), np.float32)])
    box_labels = np.array([*box_labels, len(labels)], np.int64)
    dense = [row for row in raw["hoi_prediction"] if "category_id" not in row]
    ids, scores = _verb_entries([row for row in raw["hoi_prediction"] if "category_id" in row], verbs)
    if dense:
        ids = [(row["subject_id"], row["object_id"]) for row in dense] + ids
        scores = np.concatenate([_score_lists(dense, len(verbs)), scores])
    sub, obj = _box_ids(ids, len(boxes) - 1).T
    pairs = dict(
        sub_bboxes=boxes[sub],
        obj_bboxes=boxes[obj],
        obj_labels=box_labels[obj],
        sub_labels=box_labels[sub],
        verb_scores=scores,
    )
    return pairs, len(dense) < len(raw["hoi_prediction"])


def _boxes(rows) -> np.ndarray:
    """(N, 4) float32; a fifth number (a score) would shift all that follow."""
    boxes = np.asarray(rows, np.float32)
    if len(boxes) and boxes.shape[1:] != (4,):
        raise ValueError(f"boxes must be x1, y1, x2, y2, got an array of the shape {boxes.shape}")
    return boxes.reshape(-1, 4)


def _box_ids(ids, count: int) -> np.ndarray:
    """(P, 2) positions of subject and object among ``count`` boxes."""
    # As floats, so that 1.5 and NaN are refused and not cut to integers.
    rows = np.asarray(ids, np.float64).reshape(-1, 2)
    fits = ((rows >= [0, -1]) & (rows < count) & (rows == np.floor(rows))).all(axis=1)
    if not fits.all():
        wrong = "({:g}, {:g})".format(*rows[~fits][0])
        raise ValueError(f"(subject_id, object_id) = {wrong}, but there are {count} boxes (object -1 = none)")
    return rows.astype(np.int64)


def _score_lists(rows: Sequence[Mapping], num_verbs: int) -> np.ndarray:
    for row in rows:
        if not isinstance(row["score"], list) or len(row["score"]) != num_verbs:
            raise ValueError(f"without category_id, score must be a list of {num_verbs} numbers, one per verb")
    scores = np.array([row["score"] for row in rows], np.float32)
    if np.isnan(scores).any():
        raise ValueError(f"score nan in the list of pair {int(np.argwhere(np.isnan(scores))[0, 0])}; must be finite")
    return scores


def _verb_entries(rows: Sequence[Mapping], verbs: Mapping[str, int]) -> tuple[list, np.ndarray]:
    """Entries of one verb each: those of one pair share a row, unless they repeat its verb."""
    place: dict[tuple, int] = {}
    ids, cells = [], []
    for row in rows:
        pair, verb = (row["subject_id"], row["object_id"]), _look_up(verbs, row["category_id"], "verb category_id")
        if not np.isfinite(score := float(row["score"])):
            raise ValueError(f"score {score} of verb {row['category_id']!r}; must be finite")
        if (pair, verb) in place:  # said twice: a pair of its own
            at = len(ids)
            ids.append(pair)
        else:
            # (pair, None) says where the pair's row is, (pair, verb) that it has this verb.
            at = place.setdefault((pair, None), len(ids))
            ids += [pair] * (at == len(ids))
            place[pair, verb] = at
        cells.append((at, verb, score))
    # NaN: a verb that the file says nothing about.
    scores = np.full((len(ids), len(verbs)), np.nan, np.float32)
    for at, verb, score in cells:
        scores[at, verb] = score
    return ids, scores


def _look_up(table: Mapping[str, int], key, what: str) -> int:
    if str(key) not in table:
        known = f"{next(iter(table))} ... {list(table)[-1]}"
        raise ValueError(f"{what}: unknown id {key!r}, known are {known} as in the annotation file")
    return table[str(key)]


# ---- pickles


def _read_pickle(path: Path, metainfo: Mapping) -> Iterator[FilePrediction]:
    # Whoever made the file: none of it is run.
    content = load_plain_pickle(path, tensors=True)
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
            with _naming(path, n, dict(file_name=sample.get("img_path", "?"))):
                yield FilePrediction(n, sample["img_path"], dict(pred_pairs=sample["pred_pairs"]))
    elif all(key in first for key in QPIC_KEYS):
        for n, raw in enumerate(content):
            with _naming(path, n, raw):
                yield FilePrediction(n, n, dict(pred_pairs=_qpic_pairs(raw)), by_position=True)
    else:
        raise PredictionError(f"{path}: entry 0 has the keys {sorted(map(str, first))}. Known are {FORMATS}")


def _qpic_pairs(raw: Mapping) -> dict:
    boxes, labels, scores, sub, obj = (to_numpy(raw[key]) for key in QPIC_KEYS)
    boxes, labels = _boxes(boxes), labels.astype(np.int64)
    if len(labels) != len(boxes) or len(sub) != len(obj):
        raise ValueError(f"{len(boxes)} boxes with {len(labels)} labels, {len(sub)} subjects with {len(obj)} objects")
    sub, obj = _box_ids(np.stack([sub, obj], axis=-1), len(boxes)).T
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
        with _naming(path, n, detection):
            image_ids.append(int(detection["image_id"]))
    # groupby joins neighbours only; a stable sort keeps the order that decides ties.
    order = sorted(range(len(detections)), key=image_ids.__getitem__)
    for image_id, group in groupby(order, key=image_ids.__getitem__):
        group = list(group)
        with _naming(path, group[0], dict(file_name=f"image_id {image_id}")):
            agents = _agent_table([detections[n] for n in group], roles)
            yield FilePrediction(group[0], image_id, dict(pred_agents=agents))


def _agent_table(detections: Sequence[Mapping], roles: VCOCORoles) -> AgentTable:
    found = np.array([[d[role] for role in roles.roles] for d in detections], np.float32)  # (N, R, 5)
    agent = np.array([[d[f"{action}_agent"] for action in roles.actions] for d in detections], np.float32)
    boxes = np.array([d["person_box"] for d in detections], np.float32).reshape(-1, 4)
    if np.isinf(agent).any() or np.isinf(found).any():
        raise ValueError("an infinite score or coordinate; NaN means none")
    return AgentTable(np.zeros(len(boxes), np.int64), boxes, agent, found[:, :, :4], found[:, :, 4])
