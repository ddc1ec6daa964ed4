"""HoiTransformer's annotations (``.odgt``): a line of JSON per image, names instead of ids, boxes as x, y, w, h."""

import json
from collections.abc import Mapping
from pathlib import Path

from rich.progress import track

from ..file_hints import looks_like
from ..problems import AnnotationError
from .pairs import plain_number

NAME_KEYS = ("file_name", "hico_image_name")


def odgt_entries(path: str | Path, tables: Mapping[str, Mapping], progress: bool = False) -> list[dict]:
    """HOIA-style entries, one per line, with all its boxes.

    Boxes become x1, y1, x1 + w, y1 + h, as COCO's do everywhere here (HoiTransformer's own reader takes a pixel off).

    Args:
        path (str | Path): the file.
        tables (Mapping[str, Mapping]): data sets that it may be of, by name: metainfo with ``classes``,
            ``category_ids``, ``verbs``, ``verb_ids``. The one that has all its names is taken.
        progress (bool): show a progress bar. Default: False.

    Raises:
        FileNotFoundError: no such file.
        AnnotationError: a line is no such annotation, or the names are none or several of these data sets'.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{Path(path).absolute()} does not exist; .odgt files come with HoiTransformer.")
    lines = [line for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]
    images = [_image(n, line, path) for n, line in enumerate(lines)]
    table = _table_of(images, tables, path)
    ids = [dict(zip(table[n], table[i], strict=True)) for n, i in (("classes", "category_ids"), ("verbs", "verb_ids"))]
    return [_entry(image, *ids) for image in track(images, "odgt images", disable=not progress)]


def _image(n: int, line: str, path: str | Path) -> dict:
    """A line as name, (tag, box) and (subject, object, interaction)."""
    try:
        raw = json.loads(line)
        name = next(raw[key] for key in NAME_KEYS if key in raw)
        boxes = [(_name(row["tag"]), tuple(map(float, row["box"]))) for row in raw["gtboxes"]]
        hois = [(row["subject_id"], row["object_id"], _name(row["interaction"])) for row in raw.get("hoi", [])]
        if any(len(box) != 4 for _, box in boxes) or any(not 0 <= i < len(boxes) for hoi in hois for i in hoi[:2]):
            raise ValueError("a box is not four numbers, or an HOI names a box that is not there")
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise AnnotationError(
            f"{path}: line {n + 1}: {type(error).__name__} {error}; expected file_name, gtboxes (tag, box) and hoi "
            f"(subject_id, object_id, interaction).{looks_like(path)}"
        ) from error
    return dict(name=name, boxes=boxes, hois=hois)


def _name(name: str) -> str:
    """COCO writes "cell phone", HICO-DET's tables "cell_phone"."""
    return name.strip().replace(" ", "_")


def _table_of(images: list[dict], tables: Mapping[str, Mapping], path: str | Path) -> Mapping:
    """The one data set that has all names, its own spelt with underscores."""
    tags = {tag for image in images for tag, _ in image["boxes"]}
    verbs = {verb for image in images for *_, verb in image["hois"]}
    fitting = []
    for name, table in tables.items():
        spelt = dict(table, **{key: [_name(word) for word in table[key]] for key in ("classes", "verbs")})
        unknown = (tags - set(spelt["classes"])) | (verbs - set(spelt["verbs"]))
        if not unknown:
            fitting.append((name, spelt))
    if len(fitting) != 1:
        which = "several data sets have" if fitting else "no data set has"
        shown = f"{', '.join(sorted(verbs)[:5])} ...; {', '.join(sorted(tags)[:5])} ..."
        raise AnnotationError(
            f"{path}: {which} all its names ({shown}). Say which it is of with --dataset, one of {', '.join(tables)}."
        )
    return fitting[0][1]


def _entry(image: Mapping, categories: Mapping, verbs: Mapping) -> dict:
    annotations = [
        dict(bbox=[plain_number(v) for v in (x, y, x + w, y + h)], category_id=categories[tag])
        for tag, (x, y, w, h) in image["boxes"]
    ]
    hois = [dict(subject_id=s, object_id=o, category_id=verbs[verb]) for s, o, verb in image["hois"]]
    return dict(file_name=image["name"], annotations=annotations, hoi_annotation=hois)
