"""Result files of GEN-VLKT and HOICLIP: a JSON string around what Python prints of a dict. It is never run."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from hqm_mmdet.datasets.subsets import hico_triplets

from .file_prediction import NamedEntry, require_hico
from .json_stream import iterate_json_list

BEGINNING = re.compile(r"\s*\"?\s*\{\s*['\"\\]*preds\\*['\"]\s*:\s*")
# Of Python's literals, those that JSON writes otherwise: strings, numbers as NumPy 2 prints them, names.
_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\bnp\.\w+\(([^()]*)\)|\b(?:None|True|False|nan|inf)\b")
_NAMES = dict(None_="null", True_="true", False_="false", nan_="NaN", inf_="Infinity")


def is_genvlkt(text: str) -> bool:
    """Whether a file's text begins as GEN-VLKT's and HOICLIP's results do."""
    return BEGINNING.match(text, 0, min(len(text), 200)) is not None


def genvlkt_entries(text: str, path: Path, metainfo: Mapping) -> Iterator[dict]:
    """Entries of the field's format, one at a time.

    The file has an HOI id (0 ... 599, HICO-DET's order) per prediction and boxes without a class; the ids tell the
    classes. Its ground truth is not read. Source: ``HICOEvaluator`` in GEN-VLKT's ``hico_eval_triplet.py``.

    Args:
        text (str): of the file.
        path (Path): its name, for messages.
        metainfo (Mapping): of the data set, which must be HICO-DET.

    Raises:
        json.JSONDecodeError: damaged, or more than literals.
        PredictionError: another data set, or an entry is unfit.
    """
    require_hico(metainfo, path, "these predictions")
    literals = json.loads(text) if text.lstrip().startswith('"') else text
    plain = as_json(literals)
    for n, raw in enumerate(iterate_json_list(plain, BEGINNING.match(plain).end(), alone=False)):
        with NamedEntry(path, n, raw):
            yield _entry(raw, metainfo)


def as_json(literals: str) -> str:
    """Python's spelling of lists, dicts, strings and numbers as JSON; the text is matched, not run.

    >>> as_json("{'a': [np.float32(0.5), None, \\"it's\\"]}")
    '{"a": [0.5, null, "it\\'s"]}'
    """
    return _LITERAL.sub(_spelling, literals)


def _spelling(found: re.Match) -> str:
    word = found[0]
    if word[0] in "'\"":
        return json.dumps(ast.literal_eval(word))
    return found[1] if found[1] is not None else _NAMES[f"{word}_"]


def _entry(raw: Mapping, metainfo: Mapping) -> dict:
    """The field's format; an object box stands there once for each class that its HOIs name."""
    triplets, ids = hico_triplets(), metainfo["category_ids"]
    boxes, rows, hois = [], {}, []

    def index(box: int, category) -> int:
        if not 0 <= box < len(raw["predictions"]):
            raise ValueError(f"box {box}, but there are {len(raw['predictions'])}")
        if (box, category) not in rows:
            rows[box, category] = len(boxes)
            boxes.append(dict(bbox=raw["predictions"][box]["bbox"], category_id=category))
        return rows[box, category]

    for hoi in raw["hoi_prediction"]:
        if not 0 <= hoi["category_id"] < len(triplets):
            raise ValueError(f"HOI id {hoi['category_id']}, known are 0 ... {len(triplets) - 1}")
        label, verb = triplets[hoi["category_id"]]
        subject = index(hoi["subject_id"], ids[metainfo.get("subject_label", 0)])
        target = index(hoi["object_id"], ids[label])
        scored = dict(category_id=metainfo["verb_ids"][verb], score=hoi["score"])
        hois.append(dict(subject_id=subject, object_id=target, **scored))
    return dict(file_name=raw["filename"], predictions=boxes, hoi_prediction=hois)
