"""CVAT's export "CVAT for images 1.1": boxes that belong together form a group, verbs are an attribute of the object.

Format: https://docs.cvat.ai/docs/other/xml_format.
"""

import math
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

from ..file_hints import looks_like
from ..problems import AnnotationError
from .drawn import DrawnImage, hois_of_group, verbs_of

HOW = 'Export the task as "CVAT for images 1.1", and give its annotations.xml.'


def cvat_images(path: str | Path, subject: str = "person") -> list[DrawnImage]:
    """Images of an export, with all their boxes; other shapes are left out.

    Args:
        path (str | Path): ``annotations.xml``.
        subject (str): class of subjects. Default: ``person``.

    Raises:
        FileNotFoundError: no such file.
        AnnotationError: no such export, or a group without a subject (see :func:`~.drawn.hois_of_group`).
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{Path(path).absolute()} does not exist. {HOW}")
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise AnnotationError(f"{path}: no XML ({error}).{looks_like(path)} {HOW}") from error
    elements = root.findall("image")
    if not elements:
        raise AnnotationError(f"{path}: no <image> in <{root.tag}>. {HOW}")
    return [_image(element, subject, path) for element in elements]


def _image(element: ElementTree.Element, subject: str, path: str | Path) -> DrawnImage:
    image, groups, verbs = DrawnImage(element.get("name", "")), defaultdict(list), {}
    try:
        for i, box in enumerate(element.findall("box")):
            image.boxes.append((_corners(box), box.attrib["label"]))
            verbs[i] = verbs_of({a.attrib["name"]: a.text for a in box.findall("attribute")})
            # boxes outside of any group can only act alone
            groups[box.get("group_id", "0") if int(box.get("group_id", 0)) else f"box {i}"].append(i)
        labels = [label for _, label in image.boxes]
        for members in groups.values():
            image.hois += hois_of_group(members, labels, verbs, subject)
    except (KeyError, ValueError) as error:
        raise AnnotationError(f"{path}: image {image.name}: {type(error).__name__} {error}.") from error
    return image


def _corners(box: ElementTree.Element) -> tuple[float, float, float, float]:
    """A turned box (``rotation``, degrees about its centre) becomes the upright one around it."""
    x1, y1, x2, y2 = (float(box.attrib[key]) for key in ("xtl", "ytl", "xbr", "ybr"))
    angle = math.radians(float(box.get("rotation", 0)))
    cos, sin = abs(math.cos(angle)), abs(math.sin(angle))
    w, h = (x2 - x1) * cos + (y2 - y1) * sin, (x2 - x1) * sin + (y2 - y1) * cos
    cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
    return (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2) if sin else (x1, y1, x2, y2)
