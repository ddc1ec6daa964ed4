"""``toy_hoi.json``: says what a ToyHOI folder holds, and by being there, that it is complete."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..problems import AnnotationError
from .settings import ToySettings
from .vocabulary import TOY_CLASSES, TOY_VALID, TOY_VERBS

MANIFEST = "toy_hoi.json"

_VERSION = 1  # to be raised when equal settings no longer give equal images and labels


def describe(settings: ToySettings, counts: dict[str, dict]) -> dict:
    """The manifest of a data set.

    Args:
        settings: what the data set was made with.
        counts: per split the result of :func:`count`.
    """
    return {
        "version": _VERSION,
        "seed": settings.seed,
        "settings": asdict(settings),
        "classes": list(TOY_CLASSES),
        "verbs": list(TOY_VERBS),
        "category_ids": {name: label + 1 for label, name in enumerate(TOY_CLASSES)},
        "verb_ids": {name: label + 1 for label, name in enumerate(TOY_VERBS)},
        "valid": np.argwhere(TOY_VALID).tolist(),
        "counts": counts,
    }


def count(entries: list[dict]) -> dict:
    """Numbers of images, boxes, pairs, and instances of each triplet in annotation entries."""
    triplets: Counter[str] = Counter()
    pairs = 0
    for entry in entries:
        boxes, hois = entry["annotations"], entry["hoi_annotation"]
        pairs += len({(hoi["subject_id"], hoi["object_id"]) for hoi in hois})
        for hoi in hois:
            target = hoi["object_id"]
            name = TOY_CLASSES[boxes[target]["category_id"] - 1] if target >= 0 else "(no object)"
            triplets[f"{TOY_VERBS[hoi['category_id'] - 1]} {name}"] += 1
    return {
        "images": len(entries),
        "boxes": sum(len(entry["annotations"]) for entry in entries),
        "pairs": pairs,
        "triplets": dict(triplets.most_common()),
    }


def read_counts(folder: Path, settings: ToySettings) -> dict[str, dict] | None:
    """The counts of a complete data set of these settings; None if there is none.

    Raises:
        FileExistsError: the folder holds a data set with other settings or vocabulary.
        AnnotationError: its manifest is damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        differing = _differences(found, describe(settings, found["counts"]))
    except (ValueError, KeyError, TypeError) as error:
        raise AnnotationError(
            f"{path} is not a ToyHOI manifest ({error!r}): delete it, or overwrite the data set"
        ) from error
    if differing:
        raise FileExistsError(
            f"{path} describes another ToyHOI data set ({'; '.join(differing)}): choose another "
            "folder, or overwrite the data set"
        )
    return found["counts"]


def _differences(found: dict, wanted: dict) -> list[str]:
    """What differs between two manifests, in words."""
    found = {**found, **found["settings"]}
    wanted = {**wanted, **wanted["settings"]}
    return [
        f"{key}: found {found.get(key)}, wanted {value}"
        for key, value in wanted.items()
        if key != "settings" and found.get(key) != value
    ]
