"""Cheap signs that a prediction file's ids mean something else than the data set's."""

from collections.abc import Mapping

import numpy as np

BEST = 5  # (pair, verb) candidates of an image that are looked at: detectors are surest of what exists
ENOUGH = 20  # candidates or pairs before anything is said
FEW = 0.2  # of the best candidates exist: hardly any; by chance 6 % would in HICO-DET
BETTER = 0.3  # a shift is told if so many more of them would exist with it
SHIFTS = {  # (verb, label) steps -> what is shifted, and how
    (1, 0): "verb ids one lower than the annotation file's",
    (-1, 0): "verb ids one higher than the annotation file's",
    (0, 1): "object categories one lower than the annotation file's",
    (0, -1): "object categories one higher than the annotation file's",
}


class IdSigns:
    """Counts, over the images of a file, which predicted combinations of verb and object exist in the data set.

    Ids that are shifted by one are known ids, most of them, and evaluate to about 0.

    Args:
        metainfo (Mapping): ``classes``, and where the data set has it ``valid_pairs`` and ``subject_label``.
    """

    def __init__(self, metainfo: Mapping):
        self.num_classes = len(metainfo["classes"])
        self.subject_label = int(metainfo.get("subject_label", 0))
        valid = metainfo.get("valid_pairs")
        self.valid = None if valid is None else np.pad(np.asarray(valid, bool), 1)  # a border for shifted ids
        self.existing = dict.fromkeys([(0, 0), *SHIFTS], 0)
        self.candidates = self.subjects = self.persons = 0

    def add(self, sample: Mapping) -> None:
        """Count an image's best candidates; those of HOI classes exist by themselves."""
        pairs = sample.get("pred_pairs")
        if pairs is None or "verb_scores" not in pairs:
            return
        if "sub_labels" in pairs:
            labels = np.asarray(pairs["sub_labels"])
            self.subjects += len(labels)
            self.persons += int((labels == self.subject_label).sum())
        labels, scores = (np.asarray(pairs[key]) for key in ("obj_labels", "verb_scores"))
        if self.valid is None or scores.shape != (len(labels), len(self.valid) - 2):  # unfit arrays are told elsewhere
            return
        present = (labels >= 0) & (labels < self.num_classes)
        labels, flat = labels[present], np.nan_to_num(scores[present], nan=-np.inf).reshape(-1)
        best = np.argpartition(-flat, BEST - 1)[:BEST] if len(flat) > BEST else np.arange(len(flat))
        pair, verb = np.divmod(best[flat[best] > -np.inf], scores.shape[1])
        self.candidates += len(pair)
        for step, label_step in self.existing:
            self.existing[step, label_step] += int(self.valid[verb + 1 + step, labels[pair] + 1 + label_step].sum())

    def findings(self) -> tuple[str, ...]:
        """What makes the numbers doubtful."""
        found = []
        if self.subjects >= ENOUGH and self.persons < FEW * self.subjects:
            found.append(
                f"hardly any subject is of the data set's subject class ({self.persons} of {self.subjects}); do "
                "category ids count as in the annotation file?"
            )
        if self.candidates >= ENOUGH:
            found += self._combinations()
        return tuple(found)

    def _combinations(self) -> list[str]:
        share, shift = self.existing[0, 0] / self.candidates, max(SHIFTS, key=self.existing.__getitem__)
        shifted = self.existing[shift] / self.candidates
        told = f"{share:.0%} of the surest predictions are combinations of verb and object that exist in the data set"
        if shifted >= share + BETTER:
            return [f"only {told}, with the next id {shifted:.0%} would be: the file has {SHIFTS[shift]}, it seems"]
        if share < FEW:
            return [f"only {told}: are verbs and classes in the annotation file's order, and is the model trained?"]
        return []
