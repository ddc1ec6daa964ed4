"""What metrics read from a data set's metainfo."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..functional import TripletCoder, verb_mask_by_object

REQUIRED = ("classes", "verbs", "valid_pairs", "rare_triplets")


@dataclass(frozen=True, eq=False)
class EvalVocabulary:
    """Class tables in the form the arithmetic wants.

    Args:
        coder (TripletCoder): Numbers of object classes C and verbs V.
        verb_mask (ndarray): (C + 1, V) float32, allowed verbs per object label.
        rare_classes (ndarray): (R,) int, triplet classes of the rare set.
        subject_label (int): Label of all predicted subjects.
    """

    coder: TripletCoder
    verb_mask: np.ndarray
    rare_classes: np.ndarray
    subject_label: int = 0

    @classmethod
    def from_metainfo(cls, metainfo: Mapping | None) -> "EvalVocabulary":
        """Read ``classes``, ``verbs``, ``valid_pairs`` (V, C), ``rare_triplets`` of (object label, verb).

        Raises:
            ValueError: A key is missing, or the tables do not fit together.
        """
        metainfo = metainfo or {}
        missing = [key for key in REQUIRED if metainfo.get(key) is None]
        if missing:
            raise ValueError(
                f"the data set's metainfo lacks {missing}; use one of this package's HOI data sets, or set the "
                "metric's dataset_meta."
            )
        coder = TripletCoder(len(metainfo["classes"]), len(metainfo["verbs"]))
        verb_mask = verb_mask_by_object(metainfo["valid_pairs"], coder.num_objects)
        if verb_mask.shape[1] != coder.num_verbs:
            raise ValueError(f"valid_pairs has {verb_mask.shape[1]} rows for {coder.num_verbs} verbs.")
        subject_label = int(metainfo.get("subject_label", 0))
        rare = np.array(list(metainfo["rare_triplets"]), dtype=np.int64).reshape(-1, 2)
        rare_classes = coder.encode(np.full(len(rare), subject_label), rare[:, 0], rare[:, 1])
        return cls(coder, verb_mask, rare_classes, subject_label)
