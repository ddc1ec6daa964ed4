"""Label Studio's JSON export: boxes are regions, and verbs the labels of relations between them.

Format: https://labelstud.io/guide/task_format.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from ..annotations import read_json
from ..problems import AnnotationError
from .drawn import DrawnImage

UPLOADED = re.compile(r"^[0-9a-f]{8}-")  # what Label Studio puts in front of the names of uploaded files
HOW = "Export the project as JSON (not JSON-MIN)."


def label_studio_images(path: str | Path, subject: str = "person") -> list[DrawnImage]:
    """Images of an export; tasks that nobody has finished are left out.

    A relation's direction says who is the subject; one in both directions has its subject in the box of the subject's
    class, if only one has it, and else counts twice. Choices of a single region are verbs without an object. Of several
    annotations of a task the one changed last is taken.

    Args:
        path (str | Path): the file.
        subject (str): class of subjects. Default: ``person``.

    Raises:
        FileNotFoundError: no such file.
        AnnotationError: no such export; a relation without a verb, or between regions that are no boxes.
    """
    tasks = read_json(path, HOW)
    if not isinstance(tasks, list) or not all(isinstance(task, dict) and "data" in task for task in tasks):
        raise AnnotationError(f"{path}: no list of Label Studio's tasks with `data`. {HOW}")
    images = []
    for n, task in enumerate(tasks):
        try:
            done = [a for a in task.get("annotations", []) if not a.get("was_cancelled")]
            if done:
                last = max(done, key=lambda annotation: annotation.get("updated_at") or "")
                images.append(_image(task, last["result"], subject))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise AnnotationError(f"{path}: task {task.get('id', n)}: {type(error).__name__} {error}. {HOW}") from error
    return images


def _image(task: Mapping, results: list[Mapping], subject: str) -> DrawnImage:
    image, position = DrawnImage(file_name(task)), {}
    for region in results:
        if region.get("type") == "rectanglelabels" and region["value"].get("rectanglelabels"):
            position[region["id"]] = len(image.boxes)
            image.boxes.append((_box(region), region["value"]["rectanglelabels"][0]))
    for region in results:
        if region.get("type") == "choices" and region.get("id") in position:
            image.hois += [(position[region["id"]], -1, verb) for verb in region["value"]["choices"]]
        if region.get("type") == "relation":
            image.hois += _relation(region, position, image, subject)
    return image


def file_name(task: Mapping) -> str:
    """Of a task's image: the path below local storage, else the last part of its address, without an upload's prefix.

    Raises:
        ValueError: the task has no image.
    """
    address = next((v for key, v in task["data"].items() if key in ("image", "img", "url") and isinstance(v, str)), "")
    address = address or next((v for v in task["data"].values() if isinstance(v, str) and "/" in v), "")
    if not address:
        raise ValueError("its `data` names no image")
    parts = urlsplit(address)
    if local := parse_qs(parts.query).get("d"):
        return local[0]
    name = unquote(parts.path).rpartition("/")[2]
    return UPLOADED.sub("", name) if "/upload/" in parts.path else name


def _box(region: Mapping) -> tuple[float, float, float, float]:
    """Percent to pixels. A turned box becomes the upright one around it."""
    value, width, height = region["value"], region["original_width"], region["original_height"]
    x, y = value["x"] / 100 * width, value["y"] / 100 * height
    w, h = value["width"] / 100 * width, value["height"] / 100 * height
    angle = math.radians(value.get("rotation") or 0)  # clockwise, about the upper left corner
    cos, sin = math.cos(angle), math.sin(angle)
    corners = [(x + i * w * cos - j * h * sin, y + i * w * sin + j * h * cos) for i in (0, 1) for j in (0, 1)]
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _relation(relation: Mapping, position: Mapping[str, int], image: DrawnImage, subject: str) -> list:
    ends = [relation["from_id"], relation["to_id"]]
    if not relation.get("labels"):
        raise ValueError("a relation has no label, which is its verb")
    if missing := [end for end in ends if end not in position]:
        raise ValueError(f"a relation leads to region {missing[0]}, which is no labelled box")
    first, second = (position[end] for end in ends)
    direction = relation.get("direction", "right")
    pairs = {"right": [(first, second)], "left": [(second, first)]}.get(direction, [(first, second), (second, first)])
    if len(pairs) == 2:
        people = [pair for pair in pairs if image.boxes[pair[0]][1] == subject]
        pairs = people if len(people) == 1 else pairs
    return [(who, what, verb) for verb in relation["labels"] for who, what in pairs]
