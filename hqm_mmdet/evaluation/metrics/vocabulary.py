"""What metrics read from a data set's metainfo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hqm_mmdet.errors import ConfigError

from ..functional import TripletCoder, verb_mask_by_object


@dataclass(frozen=True, eq=False)
class EvalVocabulary:
    """Class tables in the form the arithmetic wants.

    Args:
        coder (TripletCoder): numbers of object classes C and verbs V.
        verb_mask (ndarray, optional): (C + 1, V) float32, allowed verbs per object label; None allows all.
        rare_classes (ndarray): (R,) int, triplet classes of the rare set.
        subject_label (int): label of all predicted subjects.
        unseen_classes (ndarray, optional): (U,) int, triplet classes that a zero-shot split keeps from training.
    """

    coder: TripletCoder
    verb_mask: np.ndarray | None
    rare_classes: np.ndarray
    subject_label: int = 0
    unseen_classes: np.ndarray | None = None

    @classmethod
    def from_metainfo(cls, metainfo: Mapping | None, rare: bool = True) -> "EvalVocabulary":
        """Read ``classes``, ``verbs``, ``valid_pairs`` (V, C); ``rare_triplets``, ``unseen`` of (object label, verb).

        Args:
            metainfo (Mapping, optional): of the data set; ``unseen`` may be absent or empty.
            rare (bool): whether ``rare_triplets`` are needed. Default: True.

        Raises:
            ConfigError: A key is missing, or the tables do not fit together.
        """
        metainfo = require_metainfo(metainfo, ("classes", "verbs", "valid_pairs", *(("rare_triplets",) * rare)))
        coder = TripletCoder(len(metainfo["classes"]), len(metainfo["verbs"]))
        verb_mask = verb_mask_by_object(metainfo["valid_pairs"], coder.num_objects)
        if verb_mask.shape[1] != coder.num_verbs:
            raise ConfigError(f"valid_pairs has {verb_mask.shape[1]} rows for {coder.num_verbs} verbs.")
        subject_label = int(metainfo.get("subject_label", 0))

        def classes_of(key: str) -> np.ndarray:
            # (object label, verb): the subject is always the data set's person.
            rows = np.array(list(metainfo.get(key) or ()), dtype=np.int64).reshape(-1, 2)
            return coder.encode(np.full(len(rows), subject_label), rows[:, 0], rows[:, 1])

        unseen = classes_of("unseen") if metainfo.get("unseen") else None
        return cls(coder, verb_mask, classes_of("rare_triplets"), subject_label, unseen)

    def without_subject_label(self) -> "EvalVocabulary":
        """For protocols that do not compare it: class numbers with the subject label 0."""

        def zeroed(classes: np.ndarray | None) -> np.ndarray | None:
            return None if classes is None else self.coder.encode(0, *self.coder.decode(classes)[1:])

        return replace(self, rare_classes=zeroed(self.rare_classes), unseen_classes=zeroed(self.unseen_classes))


def require_metainfo(metainfo: Mapping | None, keys: Sequence[str]) -> Mapping:
    """The metainfo, if it has all keys.

    Raises:
        ConfigError: one is missing.
    """
    metainfo = metainfo or {}
    missing = [key for key in keys if metainfo.get(key) is None]
    if missing:
        raise ConfigError(
            f"the data set's metainfo lacks {missing}; use one of this package's HOI data sets, or set the "
            "metric's dataset_meta."
        )
    return metainfo
