"""Prediction files in JSON."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from hqm_mmdet.datasets.file_hints import json_hint, looks_like
from hqm_mmdet.utils.untrusted_values import require_numbers

from ..errors import PredictionError
from .file_prediction import FORMATS, FilePrediction, NamedEntry, read_box_ids, read_boxes
from .genvlkt_predictions import genvlkt_entries, is_genvlkt
from .hoitr_predictions import hoitr_line_entries, is_hoitr_lines
from .json_stream import iterate_json_list


def read_json_predictions(path: Path, metainfo: Mapping) -> Iterator[FilePrediction]:
    """Entries of a list, one at a time; see :func:`~.prediction_files.read_predictions`."""
    labels = {str(category): label for label, category in enumerate(metainfo["category_ids"])}
    verbs = {str(verb): label for label, verb in enumerate(metainfo["verb_ids"])}
    left_out = frozenset(map(str, metainfo.get("left_out_verb_ids", ())))
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8") as file:
            text = file.read()
        for n, raw in enumerate(_entries(text, path, metainfo)):
            with NamedEntry(path, n, raw):
                if left_out:
                    said = raw["hoi_prediction"]
                    raw = dict(raw, hoi_prediction=[r for r in said if str(r.get("category_id")) not in left_out])
                pairs, partial = _pairs_of_entry(raw, labels, verbs)
                sample = dict(pred_pairs=pairs, partial_scores=partial)
                yield FilePrediction(n, image_of(raw), sample, size=told_size(raw))
    except (json.JSONDecodeError, UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        hint = looks_like(path, "hoi_prediction") or json_hint(error) or " Write it again."
        raise PredictionError(f"{path}: no readable JSON list ({error}).{hint} Known are {FORMATS}") from error


def _entries(text: str, path: Path, metainfo: Mapping) -> Iterator[dict]:
    """Entries of the field's format, whatever the file's is."""
    if is_genvlkt(text):
        return genvlkt_entries(text, path, metainfo)
    if is_hoitr_lines(text):
        return hoitr_line_entries(text, path, metainfo)
    return iterate_json_list(text)


def image_of(raw: Mapping) -> str | int:
    """Name or COCO id of an entry's image."""
    name = raw["file_name"]
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise ValueError(f"file_name is {name!r}, no name")
    return name


def told_size(raw: Mapping) -> tuple[int, int] | None:
    """Width and height that an entry tells of its image."""
    size = raw.get("width"), raw.get("height")
    return size if all(type(side) is int and side > 0 for side in size) else None


def _pairs_of_entry(raw: Mapping, labels: Mapping[str, int], verbs: Mapping[str, int]) -> tuple[dict, bool]:
    """``pred_pairs`` of an entry, and whether its scores are partial (NaN = not predicted)."""
    boxes = read_boxes([p["bbox"] for p in raw["predictions"]])
    box_labels = [_look_up(labels, p["category_id"], "category_id of a box") for p in raw["predictions"]]
    # One more row, which object_id -1 selects: no object.
    boxes = np.concatenate([boxes, np.zeros((1, 4), np.float32)])
    box_labels = np.array([*box_labels, len(labels)], np.int64)
    dense = [row for row in raw["hoi_prediction"] if "category_id" not in row]
    ids, scores = _verb_entries([row for row in raw["hoi_prediction"] if "category_id" in row], verbs)
    if dense:
        ids = [(row["subject_id"], row["object_id"]) for row in dense] + ids
        scores = np.concatenate([_score_lists(dense, len(verbs)), scores])
    sub, obj = read_box_ids(ids, len(boxes) - 1).T
    pairs = dict(
        sub_bboxes=boxes[sub],
        obj_bboxes=boxes[obj],
        obj_labels=box_labels[obj],
        sub_labels=box_labels[sub],
        verb_scores=scores,
        **_judgements(raw, ids),
    )
    return pairs, len(dense) < len(raw["hoi_prediction"])


def _judgements(raw: Mapping, ids: Sequence[tuple[int, int]]) -> dict[str, np.ndarray]:
    """``interactiveness`` (P, 2), NaN for pairs without judgement, and ``suppressed`` (P,), if the entry has them."""
    if "interactiveness" not in raw:
        return {}
    judged = {(row["subject_id"], row["object_id"]): row for row in raw["interactiveness"]}
    unknown = dict(score=(np.nan, np.nan), suppressed=False)
    rows = [judged.get(tuple(pair), unknown) for pair in ids]
    scores = np.array([row["score"] for row in rows], np.float64).reshape(-1, 2)
    return dict(interactiveness=scores, suppressed=np.array([row["suppressed"] for row in rows], bool))


def _score_lists(rows: Sequence[Mapping], num_verbs: int) -> np.ndarray:
    for row in rows:
        if not isinstance(row["score"], list) or len(row["score"]) != num_verbs:
            raise ValueError(f"without category_id, score must be a list of {num_verbs} numbers, one per verb")
        require_numbers(row["score"], "a score")
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
        require_numbers(row["score"], "a score")
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
        base = "; do the file's ids count from 0?" if str(key) == "0" and "1" in table else ""
        raise ValueError(f"{what}: unknown id {key!r}, known are {known} as in the annotation file{base}")
    return table[str(key)]
