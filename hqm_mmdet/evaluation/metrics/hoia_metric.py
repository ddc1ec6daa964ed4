"""HOI-A mean average precision as an mmengine metric."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hqm_mmdet.registry import METRICS

from ..functional import HOIA, JudgedCandidates, judge_verbs, stack_images, verb_table
from .base import HOIMetric, text_table
from .records import ImageRecord, make_record


@METRICS.register_module()
class HOIAMetric(HOIMetric):
    """Mean AP over verbs, the way HOI-A is reported (PPDM's ``hoia_eval.py``; ``docs/evaluation.md``).

    Keys (fractions): ``hoia/mAP``, ``hoia/max_recall``; AP per verb is in the log. A verb without ground truth counts
    0, as officially. The data set's metainfo must hold ``classes``, ``verbs`` and ``valid_pairs`` (V, C).

    Args:
        **kwargs: ``bootstrap`` of :class:`~.base.HOIMetric` and its further arguments.
    """

    default_prefix = "hoia"
    NEEDS_RARE_SET = False
    FRACTIONS = True

    def make_record(self, sample: Mapping) -> ImageRecord:
        """Keep the best candidates and the ground truth; see :func:`~.records.make_record`.

        Files that name single verbs (``partial_scores``) are taken as they stand, without ``valid_pairs``.
        """
        # As PPDM's evaluator takes them: some annotations show a combination that the table forbids.
        vocabulary = replace(self.vocabulary, verb_mask=None) if sample.get("partial_scores") else self.vocabulary
        return make_record(sample, vocabulary, HOIA.top_k)

    def rank(self, records: list[ImageRecord]) -> "HOIARanking":
        """Match and rank all candidates."""
        tables = ([r.preds for r in records], True), ([r.gts for r in records], False)
        preds, gts = (stack_images(*table) for table in tables)
        return HOIARanking(len(records), judge_verbs(preds, gts, self.vocabulary.coder), self.dataset_meta["verbs"])


@dataclass(frozen=True, eq=False)
class HOIARanking:
    """Ranked candidates per verb, see :class:`~.base.Ranking`."""

    headline: ClassVar[str] = "mAP"
    name: ClassVar[str] = HOIA.name
    num_images: int
    candidates: JudgedCandidates
    verbs: tuple[str, ...]

    def judged(self) -> JudgedCandidates:
        """All candidates."""
        return self.candidates

    def other_aps(self) -> dict[str, np.ndarray]:
        """None."""
        return {}

    def class_sets(self) -> dict[str, np.ndarray]:
        """None."""
        return {}

    def means(self, image_weights: np.ndarray | None = None) -> dict[str, float]:
        """``mAP`` and ``max_recall``."""
        table = verb_table(self.candidates.class_results(image_weights), len(self.verbs))
        return dict(mAP=float(table["ap"].mean()), max_recall=float(table["max_recall"].mean()))

    def table(self) -> str:
        """Verbs as rows."""
        table = verb_table(self.candidates.class_results(), len(self.verbs))
        rows = {verb: (table["ap"][i], table["max_recall"][i]) for i, verb in enumerate(self.verbs)}
        rows["mean"] = tuple(self.means().values())
        return text_table(f"HOI-A, {self.num_images} images", ("AP", "max_recall"), rows)
