"""Which of a model's predictions a human gets to see: one rule for pictures, JSON and video."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from mmengine.structures import InstanceData

from hqm_mmdet.errors import UserError
from hqm_mmdet.structures import plain_name

NO_OBJECT_NAME = "nothing"


class SelectionError(UserError, ValueError):
    """A selection that can't be followed; the message says why and names what is known."""


@dataclass(frozen=True)
class ShownPair:
    """A predicted pair with the verbs that passed the selection.

    Args:
        index (int): row of the pair in ``pred_pairs``.
        sub_box (tuple): x1, y1, x2, y2 in pixels of the original image.
        obj_box (tuple, optional): likewise, None for an absent object.
        obj_label (int, optional): None for an absent object.
        verbs (tuple[int]): best first.
        scores (tuple[float]): of the verbs.
    """

    index: int
    sub_box: tuple[float, float, float, float]
    obj_box: tuple[float, float, float, float] | None
    obj_label: int | None
    verbs: tuple[int, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True)
class TripletSelection:
    """Keeps triplets of a pair and a verb.

    Combinations that the data set's ``valid_pairs`` forbids are never shown.

    Args:
        score_thr (float): least score. Default: 0.3.
        top_k (int, optional): so many triplets of an image, the best ones.
        verbs (Sequence[str]): names of verbs to show; none: all. Default: none.
        triplets (Sequence[str]): ``verb:object`` to show, e.g. ``ride:bicycle``; ``wave:nothing`` stands for an absent
            object. None: all. What ``verbs`` names is shown as well. Default: none.
        objects (Sequence[str]): of these, only pairs with such an object, ``nothing`` for an absent one; none: all.
            Default: none.
        max_pairs (int, optional): so many pairs of an image, the best ones.

    Raises:
        SelectionError: ``top_k`` or ``max_pairs`` is not positive, or ``score_thr`` is NaN, which no score reaches.
    """

    score_thr: float = 0.3
    top_k: int | None = None
    verbs: Sequence[str] = ()
    triplets: Sequence[str] = ()
    objects: Sequence[str] = ()
    max_pairs: int | None = None

    def __post_init__(self):
        for name in ("top_k", "max_pairs"):
            if (limit := getattr(self, name)) is not None and limit < 1:
                raise SelectionError(f"{name} must be at least 1, got {limit}.")
        if math.isnan(self.score_thr):
            raise SelectionError("score_thr is NaN, which no score reaches; give a number from 0 to 1.")

    def __call__(self, pairs: InstanceData, metainfo: Mapping) -> list[ShownPair]:
        """Selected pairs of an image, best first.

        Args:
            pairs (InstanceData): ``pred_pairs``.
            metainfo (Mapping): ``classes``, ``verbs``, and ``valid_pairs`` (V, C) if known.

        Raises:
            SelectionError: see :meth:`allowed`.
        """
        pairs = pairs.numpy()
        # A head may have more outputs than the data set has classes; all beyond mean `nothing`.
        labels = np.minimum(np.asarray(pairs.obj_labels, dtype=np.int64), len(metainfo["classes"]))
        given = _scores_to_show(pairs, labels)
        keep = self.allowed(metainfo)[labels] & (given >= self.score_thr)  # (Q, V)
        # Masked before `top_k`: forbidden triplets must not take places of allowed ones.
        scores = np.where(keep, given, -np.inf)
        if self.top_k is not None and scores.size > self.top_k:
            keep &= _best(scores, self.top_k)
        order = [i for i in np.argsort(-scores.max(1, initial=-np.inf), kind="stable").tolist() if keep[i].any()]
        absent = len(metainfo["classes"])
        return [self._shown(pairs, i, given[i], keep[i], absent) for i in order[: self.max_pairs]]

    def allowed(self, metainfo: Mapping) -> np.ndarray:
        """(C + 1, V) bool by object label, the last row for an absent object.

        Raises:
            SelectionError: an unknown verb or object name; the message names close ones.
        """
        classes, verbs = (*metainfo["classes"], NO_OBJECT_NAME), metainfo["verbs"]
        # A row more than classes: what an absent object allows is not in the data set's table.
        allowed = np.ones((len(classes), len(verbs)), dtype=bool)
        if metainfo.get("valid_pairs") is not None:
            allowed[:-1] = np.asarray(metainfo["valid_pairs"], dtype=bool).T
        if self.verbs or self.triplets:
            wanted = np.zeros_like(allowed)
            wanted[:, [_position(name, verbs, "verb") for name in self.verbs]] = True
            for verb, obj in map(_split, self.triplets):
                wanted[_position(obj, classes, "object"), _position(verb, verbs, "verb")] = True
            allowed &= wanted
        if self.objects:
            named = [_position(name, classes, "object") for name in self.objects]
            allowed &= np.isin(np.arange(len(classes)), named)[:, None]
        return allowed

    @staticmethod
    def _shown(pairs: InstanceData, index: int, scores: np.ndarray, keep: np.ndarray, absent_label: int) -> ShownPair:
        label = int(pairs.obj_labels[index])
        verbs = [v for v in np.argsort(-scores, kind="stable").tolist() if keep[v]]
        present = label < absent_label
        return ShownPair(
            index=index,
            sub_box=tuple(pairs.sub_bboxes[index].tolist()),
            obj_box=tuple(pairs.obj_bboxes[index].tolist()) if present else None,
            obj_label=label if present else None,
            verbs=tuple(verbs),
            scores=tuple(float(scores[v]) for v in verbs),
        )


def _scores_to_show(pairs: InstanceData, labels: np.ndarray) -> np.ndarray:
    """(Q, V) in [0, 1]: verb scores; of HOI classes the probabilities of those that name the pair's own object.

    A picture shows one object box with one class, so what the model says about other objects in it has no place there.
    """
    if "hoi_probs" in pairs:
        return pairs.hois.of_own_objects(pairs.hoi_probs, labels)
    return pairs.verb_scores


def _best(scores: np.ndarray, k: int) -> np.ndarray:
    """True at the k largest; of equal ones the first."""
    best = np.zeros(scores.size, dtype=bool)
    best[np.argsort(-scores, axis=None, kind="stable")[:k]] = True
    return best.reshape(scores.shape)


def _split(triplet: str) -> tuple[str, str]:
    verb, colon, obj = triplet.partition(":")
    if not colon:
        raise SelectionError(f"Triplet {triplet!r}: expected verb:object, e.g. ride:bicycle.")
    return verb, obj


def _position(name: str, names: Sequence[str], what: str) -> int:
    plain = [plain_name(known) for known in names]
    if plain_name(name) not in plain:
        close = get_close_matches(name, names, n=3, cutoff=0.5) or list(names[:5])
        raise SelectionError(
            f"{name!r} is no {what} of the model; known are e.g. {', '.join(close)} ({len(names)} in all)."
        )
    return plain.index(plain_name(name))
