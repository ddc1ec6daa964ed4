"""What a data set can say: object classes, verbs, which of them go together, which are rare."""

from dataclasses import dataclass, field

import numpy as np

from hqm_mmdet.errors import UserError


class VocabularyError(UserError, ValueError):
    """Tables that do not belong to the names of the data set."""


@dataclass(frozen=True)
class HOIVocabulary:
    """Classes of a data set.

    Args:
        classes (tuple[str]): object class names; ``classes[subject_label]`` is the subject's class.
        verbs (tuple[str]): verb names.
        valid_pairs (ndarray): (V, C) bool, which verb goes with which object class.
        rare_triplets (frozenset[tuple[int, int]]): (object label, verb) seen fewer than 10 times in training. Default:
            none.
        subject_label (int): label of persons. Default: 0.
        unseen (frozenset[tuple[int, int]]): (object label, verb) that a zero-shot split keeps out of training. Default:
            none.

    Raises:
        VocabularyError: ``valid_pairs`` does not fit the numbers of verbs and classes.
    """

    classes: tuple[str, ...]
    verbs: tuple[str, ...]
    valid_pairs: np.ndarray = field(compare=False)
    rare_triplets: frozenset[tuple[int, int]] = frozenset()
    subject_label: int = 0
    unseen: frozenset[tuple[int, int]] = frozenset()

    RARE_BELOW = 10  # HICO-DET's definition: fewer than 10 training instances

    def __post_init__(self):
        shape = (len(self.verbs), len(self.classes))
        if np.shape(self.valid_pairs) != shape:
            raise VocabularyError(
                f"valid_pairs must be verbs x classes = {shape}, got {np.shape(self.valid_pairs)}; "
                "the table belongs to another data set or is transposed."
            )

    @property
    def absent_object_label(self) -> int:
        """Label of a pair's object when there is none."""
        return len(self.classes)

    def as_metainfo(self) -> dict:
        """Plain dict for ``dataset.metainfo`` and metrics; ``unseen`` is there only where a zero-shot split is set."""
        table = dict(
            classes=self.classes,
            verbs=self.verbs,
            valid_pairs=np.asarray(self.valid_pairs, dtype=bool),
            rare_triplets=sorted(self.rare_triplets),
            subject_label=self.subject_label,
        )
        return dict(table, unseen=sorted(self.unseen)) if self.unseen else table

    @staticmethod
    def count_triplets(obj_labels: np.ndarray, verbs: np.ndarray, num_verbs: int, num_classes: int) -> np.ndarray:
        """Instances per triplet class, (V, C) int, from flat arrays over all HOI entries.

        Entries without object (label C) are left out.
        """
        keep = obj_labels < num_classes
        flat = np.bincount(verbs[keep] * num_classes + obj_labels[keep], minlength=num_verbs * num_classes)
        return flat.reshape(num_verbs, num_classes)

    @classmethod
    def derive_tables(
        cls, counts: np.ndarray, valid_pairs: np.ndarray | None = None, evaluated: np.ndarray | None = None
    ) -> tuple[np.ndarray, frozenset[tuple[int, int]]]:
        """Valid table and rare set from training counts.

        Args:
            counts (ndarray): (V, C) int, HOI entries of the training annotations.
            valid_pairs (ndarray, optional): (V, C) bool, the valid table if it is known; otherwise what occurs in
                training is valid. A valid triplet that never occurs in training is rare.
            evaluated (ndarray, optional): (V, C) bool, what occurs in the images to evaluate; of these, what training
                lacks is rare, too.

        Returns:
            tuple: (V, C) bool and the rare (object label, verb).
        """
        valid_pairs = counts > 0 if valid_pairs is None else valid_pairs
        exists = valid_pairs | (counts > 0) | (False if evaluated is None else evaluated)
        verb, label = np.nonzero((counts < cls.RARE_BELOW) & exists)
        return valid_pairs, frozenset(zip(label.tolist(), verb.tolist(), strict=True))
