"""V-COCO as published: action labels of COCO persons, boxes in COCO's own file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track

from hqm_mmdet.utils.plain_pickle import load_plain_pickle

from ..annotations import NO_OBJECT
from ..problems import AnnotationError

HOW_TO_GET = (
    "Labels (vcoco_train.json, vcoco_val.json, vcoco_trainval.json, vcoco_test.json) come with the repository "
    "s-gupta/v-coco, whose script makes instances_vcoco_all_2014.json from COCO's annotations; "
    "instances_train2014.json and instances_val2014.json do as well. See docs/data.md."
)


def is_official_vcoco(content) -> bool:
    """Whether a file's content has the structure of ``vcoco_*.json``."""
    first = content[0] if isinstance(content, list) and content else None
    return isinstance(first, Mapping) and "action_name" in first


def verbs_of_action(action: Mapping) -> list[str]:
    """Verb names of an action: ``<action>_<role>`` per role besides the agent, ``<action>`` where there is none.

    >>> verbs_of_action(dict(action_name="cut", role_name=["agent", "instr", "obj"]))
    ['cut_instr', 'cut_obj']
    >>> verbs_of_action(dict(action_name="run", role_name=["agent"]))
    ['run']
    """
    roles = action["role_name"][1:]
    return [f"{action['action_name']}_{role}" for role in roles] or [action["action_name"]]


@dataclass
class _CocoImage:
    """An image of a COCO file: its entry, and where each COCO annotation lies in it."""

    entry: dict
    index: dict[int, int]


def _coco_images(instances: Mapping, wanted: set[int], file: str) -> dict[int, _CocoImage]:
    """Images by COCO id, with all their boxes in the order of the file."""
    images = {
        image["id"]: _CocoImage(dict(file_name=image["file_name"], annotations=[], hoi_annotation=[]), {})
        for image in instances["images"]
        if image["id"] in wanted
    }
    if missing := wanted - images.keys():
        raise AnnotationError(
            f"{file}: {len(missing)} of {len(wanted)} labelled images are not in it, first {min(missing)}. It belongs "
            f"to another split. {HOW_TO_GET}"
        )
    for box in instances["annotations"]:
        if box["image_id"] in images:
            image = images[box["image_id"]]
            image.index[box["id"]] = len(image.entry["annotations"])
            x, y, w, h = box["bbox"]
            annotation = dict(bbox=[x, y, x + w, y + h], category_id=box["category_id"])
            image.entry["annotations"].append(annotation)
    return images


def _add_action(action: Mapping, images: Mapping[int, _CocoImage], verbs: Sequence[str], file: str) -> None:
    """Append an action's HOIs to the entries of its images."""
    names = verbs_of_action(action)
    # as published: one flat list, all agents first, then all objects of the first role ...
    roles = np.reshape(action["role_object_id"], (len(action["role_name"]), -1)).T.tolist()
    for label, image_id, (person, *objects) in zip(action["label"], action["image_id"], roles, strict=True):
        if not label:
            continue
        image = images[image_id]
        try:
            subject = image.index[person]
            targets = [image.index[each] if each else NO_OBJECT for each in objects or [0]]
        except KeyError as error:
            raise AnnotationError(
                f"{file}: image {image_id} ({image.entry['file_name']}): COCO annotation {error} of the action "
                f"{action['action_name']!r} is not in the COCO file. {HOW_TO_GET}"
            ) from error
        image.entry["hoi_annotation"] += [
            dict(subject_id=subject, object_id=target, category_id=verbs.index(name))
            for name, target in zip(names, targets, strict=True)
        ]


def vcoco_entries(
    actions: Sequence[Mapping],
    instances: Mapping,
    verbs: Sequence[str],
    files: tuple[str, str] = ("labels", "instances"),
    progress: bool = False,
) -> list[dict]:
    """HOIA-style entries of a V-COCO split, one per image, in ascending order of COCO ids.

    As QPIC's converter: all COCO boxes of an image, x2 = x + w, y2 = y + h; a role without object, and an action
    without role, has ``object_id`` -1; verb ids count from 0.

    Args:
        actions (Sequence[Mapping]): content of ``vcoco_*.json``, 26 actions.
        instances (Mapping): content of a COCO instances file with these images.
        verbs (Sequence[str]): verb names, whose positions are the ids.
        files (tuple[str, str]): names of both files, for messages.
        progress (bool): show a progress bar.

    Raises:
        AnnotationError: not such files, or they do not belong together.
    """
    labels_file, coco_file = files
    if not is_official_vcoco(actions):
        raise AnnotationError(f"{labels_file}: no official V-COCO labels (a list of actions). {HOW_TO_GET}")
    if not isinstance(instances, Mapping) or not {"images", "annotations"} <= instances.keys():
        raise AnnotationError(f"{coco_file}: no COCO instances file ('images', 'annotations'). {HOW_TO_GET}")
    found = [name for action in actions for name in verbs_of_action(action)]
    if sorted(found) != sorted(verbs):
        differing = sorted(set(found) ^ set(verbs))
        raise AnnotationError(f"{labels_file}: verbs differ from this package's: {differing}. {HOW_TO_GET}")
    wanted = {image for action in actions for image in action["image_id"]}
    images = _coco_images(instances, wanted, coco_file)
    for action in track(actions, "V-COCO actions", disable=not progress):
        _add_action(action, images, verbs, labels_file)
    return [images[image].entry for image in sorted(images)]


def vcoco_valid_pairs(prior_file: str | Path, verbs: Sequence[str]) -> np.ndarray:
    """The verb-object table of VSGNet's ``prior.pickle``, which QPIC's converter makes ``corre_vcoco.npy`` from.

    The file holds, per object class, an array of one number per verb, verbs in alphabetical order. It is read without
    running code that it may hold.

    Args:
        prior_file (str | Path): the file.
        verbs (Sequence[str]): V verb names.

    Returns:
        ndarray: (V, C) bool.

    Raises:
        FileNotFoundError: no such file.
        AnnotationError: another structure.
        CheckpointError: it is damaged or wants to run code.
    """
    prior = load_plain_pickle(prior_file)
    try:
        table = np.concatenate([np.reshape(prior[key], (1, len(verbs))) for key in sorted(prior)]).T > 0
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise AnnotationError(
            f"{prior_file}: no prior of V-COCO, expected {{object class: {len(verbs)} numbers}} ({error}). The table "
            "is packaged: leave the file out."
        ) from error
    alphabetical = sorted(verbs)
    return table[[alphabetical.index(verb) for verb in verbs]]
