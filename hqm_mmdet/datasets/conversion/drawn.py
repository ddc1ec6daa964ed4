"""Images that people have drawn boxes in with an annotation tool, and HOIA-style entries of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..problems import AnnotationError
from .pairs import plain_number

VERB_KEYS = ("verbs", "verb")


@dataclass
class DrawnImage:
    """An image with names instead of ids.

    Args:
        name (str): of its file.
        boxes (list): x1, y1, x2, y2 in pixels, and the class name.
        hois (list): positions of subject and object in ``boxes`` (-1: no object), and the verb.
    """

    name: str
    boxes: list[tuple[tuple[float, float, float, float], str]] = field(default_factory=list)
    hois: list[tuple[int, int, str]] = field(default_factory=list)


def verbs_of(attributes: Mapping[str, object]) -> list[str]:
    """Verbs in the attribute ``verbs`` or ``verb`` of a box, separated by commas."""
    texts = (attributes[key] for key in VERB_KEYS if attributes.get(key))
    words = (word for text in texts for word in (text if isinstance(text, list) else str(text).split(",")))
    return [word.strip() for word in words if word.strip()]


def hois_of_group(members: Sequence[int], labels: Sequence[str], verbs: Mapping[int, list[str]], subject: str) -> list:
    """What the boxes of a group do.

    Verbs stand at the objects, and every subject of the group does them. A subject alone with verbs does them without
    an object; beside other subjects a subject with verbs is their object.

    Args:
        members (Sequence[int]): positions of the group's boxes.
        labels (Sequence[str]): class names of all boxes.
        verbs (Mapping[int, list[str]]): of each member.
        subject (str): class of subjects.

    Returns:
        list: as ``DrawnImage.hois``.

    Raises:
        ValueError: verbs without a subject.
    """
    people = [i for i in members if labels[i] == subject]
    doing = [i for i in people if not verbs[i]]
    if not doing:
        if any(verbs[i] for i in members if i not in people):
            raise ValueError(f"a group has verbs and no {subject} who does them (one whose own verbs are empty)")
        return [(i, -1, verb) for i in people for verb in verbs[i]]
    return [(who, i, verb) for i in members for verb in verbs[i] for who in doing if who != i]


def names_of(images: Sequence[DrawnImage], subject: str) -> dict[str, list[str]]:
    """All names of the images, the subject's class first, the rest in order."""
    classes = {label for image in images for _, label in image.boxes} - {subject}
    verbs = {verb for image in images for *_, verb in image.hois}
    return dict(classes=[subject, *sorted(classes)], verbs=sorted(verbs))


def entries_of(images: Sequence[DrawnImage], names: Mapping[str, Sequence], file: str) -> list[dict]:
    """HOIA-style entries.

    Args:
        images (Sequence[DrawnImage]): in the order of the entries.
        names (Mapping): ``classes`` and ``verbs``, and where ids do not count from 1, ``category_ids``, ``verb_ids``.
        file (str): for messages.

    Raises:
        AnnotationError: a name that ``names`` does not have.
    """
    ids = {
        what: dict(zip(names[what], names.get(key) or range(1, len(names[what]) + 1), strict=True))
        for what, key in (("classes", "category_ids"), ("verbs", "verb_ids"))
    }
    for what, found in names_of(images, names["classes"][names.get("subject_label", 0)]).items():
        if unknown := [name for name in found if name not in ids[what]]:
            raise AnnotationError(
                f"{file}: the names have no {what} {', '.join(unknown)}. Add them to the file of --names, or correct "
                "the annotations."
            )
    return [_entry(image, ids["classes"], ids["verbs"]) for image in images]


def _entry(image: DrawnImage, classes: Mapping[str, object], verbs: Mapping[str, object]) -> dict:
    return dict(
        file_name=image.name,
        annotations=[
            dict(bbox=[plain_number(round(value, 2)) for value in box], category_id=classes[label])
            for box, label in image.boxes
        ],
        hoi_annotation=[
            dict(subject_id=subject, object_id=target, category_id=verbs[verb]) for subject, target, verb in image.hois
        ],
    )
