"""What a file says about one image, and what all formats refuse."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hqm_mmdet.datasets.file_hints import looks_like
from hqm_mmdet.structures import load_metainfo
from hqm_mmdet.utils.untrusted_values import MALFORMED, require_numbers

from ..errors import PredictionError

FORMATS = (
    "a JSON list of {file_name, predictions, hoi_prediction}; GEN-VLKT's and HOICLIP's result JSON; a pickle of "
    "mmengine's DumpResults; QPIC's list of {boxes, labels, verb_scores, sub_ids, obj_ids} in the order of the "
    "annotation file (pickle); V-COCO's official list of detections (pickle); HoiTransformer's results (torch.save, "
    "or lines of JSON); a folder of UPT's detections_01.mat ... detections_80.mat. See docs/evaluation.md."
)


@dataclass(frozen=True, eq=False)
class FilePrediction:
    """What a file says about one image.

    Args:
        entry (int): position in the file, from 0.
        image (str | int): file name, or COCO image id, or position among the images (see ``by_position``).
        sample (dict): ``pred_pairs`` or ``pred_agents`` as metrics take them.
        by_position (bool): whether ``image`` is a position.
        size (tuple[int, int], optional): width and height of the image, where the entry tells them.
    """

    entry: int
    image: str | int
    sample: dict
    by_position: bool = False
    size: tuple[int, int] | None = None


class NamedEntry:
    """Turns errors of an entry into a PredictionError that names it.

    Args:
        path (Path): the file.
        entry (int): position in it, from 0.
        raw: the entry; its name is told if it has one.
        key (str): under which its name is. Default: ``file_name``.
    """

    def __init__(self, path: Path, entry: int, raw, key: str = "file_name"):
        name = raw.get(key, "?") if isinstance(raw, Mapping) else "?"
        self.path, self.place = path, f"{path}: entry {entry} ({name})"

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        # Whatever foreign values lead to, the readers' own checks included.
        if isinstance(error, MALFORMED) and not isinstance(error, PredictionError):
            problem = f"no key {error}" if isinstance(error, KeyError) else str(error)
            hint = looks_like(self.path, "hoi_prediction") if isinstance(error, KeyError) else ""
            message = f"{self.place}: {problem}. Correct the entry; format: docs/evaluation.md.{hint}"
            raise PredictionError(message) from error


def read_boxes(rows) -> np.ndarray:
    """(N, 4) float32; a fifth number (a score) would shift all that follow."""
    require_numbers(rows, "a coordinate")
    boxes = np.asarray(rows, np.float32)
    if len(boxes) and boxes.shape[1:] != (4,):
        raise ValueError(f"boxes must be x1, y1, x2, y2, got an array of the shape {boxes.shape}")
    return boxes.reshape(-1, 4)


def read_box_ids(ids, count: int) -> np.ndarray:
    """(P, 2) positions of subject and object among ``count`` boxes."""
    require_numbers(ids, "subject_id or object_id")
    # As floats, so that 1.5 and NaN are refused and not cut to integers.
    rows = np.asarray(ids, np.float64).reshape(-1, 2)
    fits = ((rows >= [0, -1]) & (rows < count) & (rows == np.floor(rows))).all(axis=1)
    if not fits.all():
        wrong = "({:g}, {:g})".format(*rows[~fits][0])
        raise ValueError(f"(subject_id, object_id) = {wrong}, but there are {count} boxes (object -1 = none)")
    return rows.astype(np.int64)


def require_hico(metainfo: Mapping, path: Path, what: str) -> None:
    """Raise a PredictionError unless the data set has HICO-DET's classes, whose HOI ids a format holds."""
    hico = load_metainfo("hico_det")
    if any(tuple(metainfo[key]) != hico[key] for key in ("classes", "verbs")):
        raise PredictionError(f"{path}: {what} name the 600 HOIs of HICO-DET; evaluate them on it (--dataset hico).")


def ids_by_name(metainfo: Mapping) -> tuple[dict, dict]:
    """Ids by name, of classes and of verbs; COCO's names with spaces as well as HICO-DET's with underscores."""
    tables = []
    for names, ids in (("classes", "category_ids"), ("verbs", "verb_ids")):
        pairs = list(zip(metainfo[names], metainfo[ids], strict=True))
        tables.append({name.replace("_", " "): id_ for name, id_ in pairs} | dict(pairs))
    return tables[0], tables[1]
