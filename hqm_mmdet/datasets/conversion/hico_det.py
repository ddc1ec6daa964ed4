"""HICO-DET from its MATLAB file, or from fredzzhang/hicodet's JSON, which holds the same numbers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.progress import track
from scipy.io import loadmat

from hqm_mmdet.structures import load_metainfo
from hqm_mmdet.utils.untrusted_values import MALFORMED

from ..file_hints import looks_like
from ..problems import AnnotationError
from ..subsets import hico_triplets
from .pairs import pair_entry

Row = tuple[Sequence[float], Sequence[float], int]  # subject box, object box, HOI id 1 ... 600

INSTANCES_KEYS = ("annotation", "filenames")
SPLITS = ("train", "test")


def instances_entries(
    content: Mapping, file: str = "instances", zero_based: bool = False, progress: bool = False
) -> list[dict]:
    """HOIA-style entries of ``instances_train2015.json`` or ``instances_test2015.json`` (fredzzhang/hicodet).

    With the defaults the test file becomes PPDM's and QPIC's ``test_hico.json``.

    Args:
        content (Mapping): content of the file: ``filenames``, and per image in ``annotation`` the equally long
            ``boxes_h``, ``boxes_o``, ``hoi`` (from 0).
        file (str): its name, for messages.
        zero_based (bool): subtract 1 from all coordinates, as in PPDM's training file; MATLAB counts pixels from 1.
        progress (bool): show a progress bar.

    Returns:
        list[dict]: images with a pair, in the order of the file.

    Raises:
        AnnotationError: another structure, or an unknown HOI id.
    """
    if not isinstance(content, Mapping) or any(key not in content for key in INSTANCES_KEYS):
        raise AnnotationError(f"{file}: no instances file of fredzzhang/hicodet (keys {', '.join(INSTANCES_KEYS)}).")
    entries = []
    images = list(zip(content["filenames"], content["annotation"], strict=True))
    for name, image in track(images, "HICO-DET images", disable=not progress):
        try:
            hois = [hoi + 1 for hoi in image["hoi"]]
            rows = list(zip(image["boxes_h"], image["boxes_o"], hois, strict=True))
        except (KeyError, TypeError, ValueError) as error:
            raise AnnotationError(f"{file}: {name}: boxes_h, boxes_o and hoi must be lists of one length.") from error
        with _readable(file, name):
            entries.append(_entry(name, rows, zero_based, file))
    # The published files hold no image without a pair, either.
    return [entry for entry in entries if entry["hoi_annotation"]]


def mat_entries(path: str | Path, split: str, zero_based: bool = False, progress: bool = False) -> list[dict]:
    """HOIA-style entries of the official ``anno_bbox.mat``; HOIs marked invisible are left out.

    Args:
        path (str | Path): the file.
        split (str): 'train' or 'test'.
        zero_based, progress: as in :func:`instances_entries`.

    Returns:
        list[dict]: images with a pair, in the order of the file.

    Raises:
        FileNotFoundError: no such file.
        AnnotationError: another structure, or an unknown HOI id.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {SPLITS}, got {split!r}.")
    entries = []
    for name, hois in track(_mat_images(path, f"bbox_{split}"), "HICO-DET images", disable=not progress):
        with _readable(path, name):
            rows = [row for hoi in hois if not hoi.invis for row in _mat_rows(hoi, path, name)]
            entries.append(_entry(name, rows, zero_based, str(path)))
    return [entry for entry in entries if entry["hoi_annotation"]]


def _mat_images(path: str | Path, variable: str) -> list[tuple[str, np.ndarray]]:
    """File name and HOIs of each image."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"{Path(path).absolute()} does not exist; anno_bbox.mat is in the HICO-DET archive.")
    try:
        # squeeze_me makes a list of one element the element itself: hence atleast_1d here and below.
        content = loadmat(path, squeeze_me=True, struct_as_record=False, variable_names=[variable])
        images = np.atleast_1d(content[variable]).tolist()
        return [(str(image.filename), np.atleast_1d(image.hoi)) for image in images]
    except Exception as error:  # damaged bytes raise whatever they spell
        problem = f"no anno_bbox.mat of HICO-DET with {variable} ({type(error).__name__}: {error})"
        raise AnnotationError(
            f"{path}: {problem}.{looks_like(path)} Copy it again from the HICO-DET archive."
        ) from error


@contextmanager
def _readable(path: str | Path, image: str) -> Iterator[None]:
    """Tell values of another type than the format's, with file and image."""
    try:
        yield
    except AnnotationError:
        raise
    except MALFORMED as error:
        problem = f"boxes, connections or ids of another form ({type(error).__name__}: {error})"
        raise AnnotationError(f"{path}: {image}: {problem}. Copy the file again.") from error


def _mat_rows(hoi, path: str | Path, image: str) -> list[Row]:
    """One row per connection of an HOI."""
    people, objects = (
        [(box.x1, box.y1, box.x2, box.y2) for box in np.atleast_1d(boxes)] for boxes in (hoi.bboxhuman, hoi.bboxobject)
    )
    # A single connection comes as a flat pair.
    pairs = np.reshape(hoi.connection, (-1, 2)).astype(int).tolist()
    if any(not (1 <= person <= len(people) and 1 <= thing <= len(objects)) for person, thing in pairs):
        raise AnnotationError(f"{path}: {image}: a connection of HOI {int(hoi.id)} names a box that is not there.")
    return [(people[person - 1], objects[thing - 1], int(hoi.id)) for person, thing in pairs]


def _entry(name: str, rows: Iterable[Row], zero_based: bool, file: str) -> dict:
    """An image, from boxes and HOI ids."""
    triplets, pairs = hico_triplets(), []
    for person, thing, hoi in rows:
        if not 1 <= hoi <= len(triplets):
            raise AnnotationError(f"{file}: {name}: HOI id {hoi}, known are 1 ... {len(triplets)}.")
        boxes = ([value - zero_based for value in box] for box in (person, thing))
        pairs.append((*boxes, *triplets[hoi - 1]))
    return pair_entry(name, pairs, load_metainfo("hico_det"))
