"""Which verb goes with which object, and what is rare: from files, or counted in training annotations."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from hqm_mmdet.structures import HOIVocabulary
from hqm_mmdet.utils.untrusted_values import parse_json, read_npy

from .annotations import NO_OBJECT, ImageAnnotations, read_json
from .problems import AnnotationError

NAMES_KEYS = frozenset({"dataset_type", "classes", "verbs", "category_ids", "verb_ids", "subject_label"})


def load_names(path: str | Path, how_to_get: str = "Check the path.") -> dict:
    """Names of a data set of one's own, as metainfo.

    Args:
        path (str | Path): JSON file, ``{"classes": [...], "verbs": [...]}`` and, if the annotations do not count 1, 2,
            3 ..., ``category_ids`` and ``verb_ids``; ``subject_label`` if the subject is not the first class.
        how_to_get (str): closes the message if the file is missing.

    Raises:
        FileNotFoundError: no such file.
        AnnotationError: no JSON, an unknown key, or a value that is no list of different names.
    """
    names = read_json(path, how_to_get)
    if not isinstance(names, dict) or not {"classes", "verbs"} <= names.keys() <= NAMES_KEYS:
        found = sorted(names) if isinstance(names, dict) else type(names).__name__
        raise AnnotationError(f"{path}: expected classes and verbs among the keys {sorted(NAMES_KEYS)}, found {found}.")
    for key in ("classes", "verbs"):
        each = names[key]
        is_names = isinstance(each, list) and each and all(isinstance(name, str) for name in each)
        if not is_names or len(set(each)) != len(each):
            raise AnnotationError(f"{path}: {key} must be a list of different names, got {each!r}.")
    return {key: tuple(value) if isinstance(value, list) else value for key, value in names.items()}


def valid_pairs_of_rules(table: dict, classes: Sequence[str]) -> np.ndarray:
    """Which verb goes with which object, by the rules of a packaged class table.

    Args:
        table (dict): ``verbs``; ``objects_of_verb``, {verb: its object classes}; ``excluded_objects_of_verb``, {verb:
            all but these}. Verbs in neither go with every class.
        classes (Sequence[str]): C object classes.

    Returns:
        ndarray: (V, C) bool.
    """
    allowed, excluded = table["objects_of_verb"], table.get("excluded_objects_of_verb", {})
    rows = [
        [name in allowed.get(verb, classes) and name not in excluded.get(verb, ()) for name in classes]
        for verb in table["verbs"]
    ]
    return np.array(rows, dtype=bool)


def count_hois(images: Iterable[ImageAnnotations | None], num_verbs: int, num_classes: int) -> np.ndarray:
    """HOI entries as annotated (repetitions count), (V, C + 1) int; the last column counts HOIs without object."""
    pairs = [
        (num_classes if obj == NO_OBJECT else image.labels[obj], verb)
        for image in images
        if image is not None
        for _, obj, verb in image.hois
    ]
    # reshape: without any HOI there would be no second axis.
    labels, verbs = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return HOIVocabulary.count_triplets(labels, verbs, num_verbs, num_classes + 1)


def count_triplets(images: Iterable[ImageAnnotations | None], num_verbs: int, num_classes: int) -> np.ndarray:
    """HOI entries per triplet class, (V, C) int: :func:`count_hois` less those without object."""
    return count_hois(images, num_verbs, num_classes)[:, :-1]


def count_classes(images: Iterable[ImageAnnotations | None], num_verbs: int, num_classes: int) -> dict[str, np.ndarray]:
    """HOI entries per class as annotated (repetitions count).

    Returns:
        dict[str, ndarray]: ``objects`` (C + 1,) int by the object's label, the last for HOIs without object; ``verbs``
        (V,) int.
    """
    table = count_hois(images, num_verbs, num_classes)
    return dict(objects=table.sum(0), verbs=table.sum(1))


def load_valid_pairs(path: str | Path, num_verbs: int, num_classes: int) -> np.ndarray:
    """The ``corre_*.npy`` file of the official code: (V, C) bool, which verb goes with which object.

    Raises:
        AnnotationError: not an array of this shape.
    """
    try:
        table = read_npy(path)
    except (ValueError, OSError) as error:
        raise AnnotationError(
            f"{path}: {error}. Copy it again, or remove it to have the table derived from the training annotations."
        ) from error
    if table.shape != (num_verbs, num_classes):
        raise AnnotationError(
            f"{path}: verbs x objects = {table.shape}, but the data set has {(num_verbs, num_classes)}. It belongs to "
            "another data set; remove it to have the table derived from the training annotations."
        )
    return table > 0


def load_rare_triplets(path: str | Path, category_ids: Sequence, verb_ids: Sequence) -> frozenset[tuple[int, int]]:
    """Rare set from a JSON list of [object category id, verb id], ids as in the annotation file.

    Returns:
        frozenset[tuple[int, int]]: (object label, verb).

    Raises:
        AnnotationError: unknown id, or another structure.
    """
    # As strings: HOI-A writes its object ids so, and a table of one's own may not.
    labels = {str(category): label for label, category in enumerate(category_ids)}
    verbs = {str(verb): label for label, verb in enumerate(verb_ids)}
    try:
        rows = parse_json(Path(path).read_text(encoding="utf-8"))
        return frozenset((labels[str(category)], verbs[str(verb)]) for category, verb in rows)
    except (KeyError, TypeError, ValueError) as error:
        raise AnnotationError(
            f"{path}: expected a JSON list of [object category id, verb id] with the data set's ids "
            f"({type(error).__name__}: {error}). Correct it, or leave dataset.rare_file unset to have the rare set "
            "counted in the training annotations."
        ) from error
