"""COCO files with interactions: a list of relations beside the annotations, or groups and verbs in their attributes."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from ..annotations import read_json
from ..problems import AnnotationError
from .drawn import DrawnImage, hois_of_group, verbs_of

GROUP_KEYS = ("group_id", "group")
HOW = "See docs/tutorials/own_photographs.md."


def coco_images(path: str | Path, subject: str = "person") -> list[DrawnImage]:
    """Images of a COCO file.

    Interactions are read from ``relations``, a list of ``subject_id``, ``object_id`` (ids of annotations; null: no
    object) and ``verb``. Without this list, annotations say in their ``attributes`` which ``group_id`` (or ``group``)
    they belong to, and objects have ``verbs`` (or ``verb``), see :func:`~.drawn.hois_of_group`.

    Args:
        path (str | Path): the file; boxes are x, y, width, height.
        subject (str): class of subjects. Default: ``person``.

    Raises:
        FileNotFoundError: no such file.
        AnnotationError: no COCO file, one without any interaction, or a relation that names no annotation.
    """
    content = read_json(path, HOW)
    if not isinstance(content, dict) or not {"images", "annotations", "categories"} <= content.keys():
        raise AnnotationError(f"{path}: no COCO file with images, annotations and categories. {HOW}")
    try:
        images, places, attributes = _boxes(content)
        if "relations" in content:
            _add_relations(content["relations"], images, places)
        else:
            _add_groups(images, places, attributes, subject)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnnotationError(f"{path}: {type(error).__name__} {error}. {HOW}") from error
    if not any(image.hois for image in images.values()):
        raise AnnotationError(f"{path}: boxes without interactions: no `relations`, no verbs in attributes. {HOW}")
    return list(images.values())


def _boxes(content: Mapping) -> tuple[dict, dict, dict]:
    """Images by id; where each annotation is, (image id, position); its attributes."""
    images = {image["id"]: DrawnImage(image["file_name"]) for image in content["images"]}
    names = {category["id"]: category["name"] for category in content["categories"]}
    places, attributes = {}, {}
    for annotation in content["annotations"]:
        boxes, (x, y, w, h) = images[annotation["image_id"]].boxes, annotation["bbox"]
        places[annotation["id"]] = annotation["image_id"], len(boxes)
        attributes[annotation["id"]] = annotation.get("attributes") or {}
        boxes.append(((x, y, x + w, y + h), names[annotation["category_id"]]))
    return images, places, attributes


def _add_relations(relations: list[Mapping], images: Mapping, places: Mapping) -> None:
    for relation in relations:
        image, subject = places[relation["subject_id"]]
        target = relation.get("object_id")
        other, position = (image, -1) if target is None else places[target]
        if other != image:
            raise ValueError(f"relation {relation} joins boxes of two images")
        images[image].hois.append((subject, position, relation["verb"]))


def _add_groups(images: Mapping, places: Mapping, attributes: Mapping, subject: str) -> None:
    groups, verbs = defaultdict(list), defaultdict(dict)
    for annotation, (image, position) in places.items():
        given = attributes[annotation]
        group = next((given[key] for key in GROUP_KEYS if given.get(key)), f"box {position}")
        groups[image, str(group)].append(position)
        verbs[image][position] = verbs_of(given)
    for (image, _), members in groups.items():
        labels = [label for _, label in images[image].boxes]
        images[image].hois += hois_of_group(members, labels, verbs[image], subject)
