"""HOI classes: combinations of a verb and an object class that a model may score as wholes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hqm_mmdet.errors import UserError

METAINFO = Path(__file__).parent / "metainfo"


class HOIClassError(UserError, ValueError):
    """An unknown table of HOI classes or zero-shot split; the message names the known ones."""


@cache
def load_metainfo(name: str) -> dict:
    """A packaged class table, ``metainfo/<name>.json``, with lists as tuples. Not to be changed."""
    table = json.loads((METAINFO / f"{name}.json").read_text(encoding="utf-8"))
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


@dataclass(frozen=True)
class HOIClasses:
    """H combinations.

    Args:
        verb_names, object_names (tuple[str]): V and C names.
        verbs (tuple[int]): verb of each class.
        objects (tuple[int]): object label of each class; C is an absent object.
    """

    verb_names: tuple[str, ...]
    object_names: tuple[str, ...]
    verbs: tuple[int, ...]
    objects: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.verbs)

    def __deepcopy__(self, memo: dict) -> "HOIClasses":
        return self  # frozen; mmengine copies the metainfo of every image's pairs

    @classmethod
    def of_names(
        cls, verb_names: Sequence[str], object_names: Sequence[str], hois: Sequence[tuple[str, str | None]]
    ) -> "HOIClasses":
        """From (verb, object class) names, None for an absent object."""
        verbs = tuple(verb_names.index(verb) for verb, _ in hois)
        objects = tuple(len(object_names) if name is None else object_names.index(name) for _, name in hois)
        return cls(tuple(verb_names), tuple(object_names), verbs, objects)

    def names(self) -> list[tuple[str, str | None]]:
        """(verb, object class) of each HOI class."""
        objects = (*self.object_names, None)
        return [(self.verb_names[v], objects[o]) for v, o in zip(self.verbs, self.objects, strict=True)]

    def subset(self, keep: Sequence[int]) -> "HOIClasses":
        """Some of the classes, in the given order."""
        return HOIClasses(
            self.verb_names, self.object_names, tuple(self.verbs[i] for i in keep), tuple(self.objects[i] for i in keep)
        )

    def verb_matrix(self) -> Tensor:
        """(V, H) float, 1 where the class has the verb."""
        return torch.nn.functional.one_hot(torch.tensor(self.verbs), len(self.verb_names)).T.float()

    def best_of_verbs(self, hoi_scores: np.ndarray) -> np.ndarray:
        """Scores of HOI classes (Q, H) -> of verbs (Q, V), the best of each verb's classes; 0 without any."""
        scores = np.zeros((len(hoi_scores), len(self.verb_names)), hoi_scores.dtype)
        np.maximum.at(scores.T, np.array(self.verbs, dtype=np.int64), hoi_scores.T)
        return scores

    def of_own_objects(self, hoi_values: np.ndarray, obj_labels: np.ndarray) -> np.ndarray:
        """Values of HOI classes (Q, H) -> (Q, V): of each verb with the pair's own object label; 0 without any."""
        values = np.zeros((len(hoi_values), len(self.verb_names)), hoi_values.dtype)
        verbs, objects = np.array(self.verbs, dtype=np.int64), np.array(self.objects, dtype=np.int64)
        pair, hoi = np.nonzero(obj_labels[:, None] == objects)
        values[pair, verbs[hoi]] = hoi_values[pair, hoi]
        return values

    def labels(self, obj_labels: Tensor, verb_labels: Tensor) -> Tensor:
        """Multi-hot HOI labels (..., H) of pairs with object labels (...,) and multi-hot verbs (..., V)."""
        objects = torch.tensor(self.objects, device=obj_labels.device)
        verbs = torch.tensor(self.verbs, device=obj_labels.device)
        return verb_labels[..., verbs] * (obj_labels[..., None] == objects)


@cache
def load_hoi_classes(name: str) -> HOIClasses:
    """HOI classes of a data set, in the order in which published models score them.

    Args:
        name (str): ``hico_det`` (600, HOI id minus 1), ``v_coco`` (263, the order of GEN-VLKT's and HOICLIP's table),
            ``v_coco_actions`` (236: 24 of the verbs with the objects that trainval or test know, as UPT and PViC),
            ``toy_hoi`` (its triplets and what they imply); or the path of a JSON file with ``verbs``, ``classes`` and
            ``hois``, a list of [verb, object class], null for an absent object.

    Raises:
        HOIClassError: another name, or a file with anything else in it.
    """
    if name == "hico_det":
        table = load_metainfo("hico_det")
        hois = [(verb, obj) for obj, verbs in load_metainfo("hico_det_hois").items() for verb in verbs]
        return HOIClasses.of_names(table["verbs"], table["classes"], hois)
    if name == "v_coco":
        classes = load_metainfo("hico_det")["classes"]
        return HOIClasses.of_names(load_metainfo("v_coco")["verbs"], classes, load_metainfo("v_coco_hois")["hois"])
    if name == "v_coco_actions":
        hois = [(verb, obj) for obj, verbs in load_metainfo(name).items() for verb in verbs]
        return HOIClasses.of_names(load_metainfo("v_coco")["verbs"], load_metainfo("hico_det")["classes"], hois)
    if name == "toy_hoi":
        table = load_metainfo("toy_hoi")
        drawn = [tuple(triplet) for triplet in table["triplets"]]
        implied = [(table["implied"][verb], obj) for verb, obj in drawn if verb in table["implied"]]
        return HOIClasses.of_names(table["verbs"], table["classes"], list(dict.fromkeys([*drawn, *implied])))
    if name.endswith(".json") and Path(name).is_file():
        return _of_file(Path(name))
    raise HOIClassError(
        f"There are HOI classes of hico_det, v_coco, v_coco_actions and toy_hoi, not of {name!r}; nor is it an "
        "existing .json file."
    )


def _of_file(path: Path) -> HOIClasses:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return HOIClasses.of_names(table["verbs"], table["classes"], [tuple(hoi) for hoi in table["hois"]])
    except (ValueError, KeyError, TypeError) as error:
        raise HOIClassError(
            f"{path}: expected verbs, classes and hois, a list of [verb, object class], null for an absent object "
            f"({type(error).__name__}: {error})."
        ) from error


@cache
def unseen_hois(name: str, split: str) -> frozenset[int]:
    """HOI classes, as positions in :func:`load_hoi_classes`, that a zero-shot split keeps out of training.

    Args:
        name (str): ``hico_det`` or ``toy_hoi``.
        split (str): of HICO-DET ``rare_first`` (RF-UC: 120 unseen combinations, rare ones first), ``non_rare_first``
            (NF-UC: 120), ``unseen_object`` (UO: 100 HOIs of 12 objects), ``unseen_verb`` (UV: 84 HOIs of 20 verbs),
            ``uc0`` ... ``uc4`` (UC: 120 each), the lists of GEN-VLKT and HOICLIP; of the toy set
            ``unseen_combination`` (6).

    Raises:
        HOIClassError: no such split.
    """
    splits = load_metainfo(f"{name}_zero_shot") if (METAINFO / f"{name}_zero_shot.json").is_file() else {}
    if split not in splits:
        raise HOIClassError(f"{split!r} is no zero-shot split of {name}; there are {', '.join(splits) or 'none'}.")
    return frozenset(hoi - 1 for hoi in splits[split])  # the lists count HOI ids from 1
