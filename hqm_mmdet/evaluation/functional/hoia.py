"""HOI-A: mean average precision over verbs, as PPDM's ``hoia_eval.py`` computes it."""

import numpy as np

from .average_precision import ClassResults, RankedCandidates
from .judged import JudgedCandidates
from .matching import assign_triplets
from .protocol import HOIA, EvalProtocol
from .triplets import TripletCoder, TripletTable


def judge_verbs(
    preds: TripletTable, gts: TripletTable, coder: TripletCoder, protocol: EvalProtocol = HOIA
) -> JudgedCandidates:
    """Match candidates of equal subject label, object label and verb.

    Args:
        preds (TripletTable): candidates of all images; per image in descending score order.
        gts (TripletTable): ground truth of all images.
        coder (TripletCoder): numbers of classes.
        protocol (EvalProtocol): conventions. Default: :data:`~.protocol.HOIA`.

    Returns:
        JudgedCandidates: A column is a verb; all V of them, with or without ground truth.
    """
    is_tp, taken_by = assign_triplets(preds, gts, coder, protocol)
    verbs = np.arange(coder.num_verbs)
    return JudgedCandidates(
        preds,
        gts,
        coder,
        coder.decode(preds.classes)[2],
        coder.decode(gts.classes)[2],
        is_tp,
        taken_by,
        verbs,
        # -1: a verb spans all object classes.
        np.stack([verbs, np.full_like(verbs, -1)], axis=1),
        np.ones(len(verbs), dtype=bool),
        protocol,
        empty_counts_zero=True,
    )


def rank_verbs(
    preds: TripletTable, gts: TripletTable, coder: TripletCoder, protocol: EvalProtocol = HOIA
) -> RankedCandidates:
    """Match candidates and rank them by verb; arguments as of :func:`judge_verbs`."""
    return judge_verbs(preds, gts, coder, protocol).ranked()


def verb_table(results: ClassResults, num_verbs: int) -> dict[str, np.ndarray]:
    """``ap`` and ``max_recall`` of all V verbs, (V,) each; a verb without ground truth has 0, as officially."""
    table = {}
    for name in ("ap", "max_recall"):
        table[name] = np.zeros(num_verbs)
        table[name][results.classes] = np.nan_to_num(getattr(results, name))
    return table
