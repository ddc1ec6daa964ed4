"""HOI-A: mean average precision over verbs, as PPDM's ``hoia_eval.py`` computes it."""

import numpy as np

from .average_precision import ClassResults, RankedCandidates, rank_candidates
from .matching import match_triplets
from .protocol import HOIA, EvalProtocol
from .triplets import TripletCoder, TripletTable


def rank_verbs(
    preds: TripletTable, gts: TripletTable, coder: TripletCoder, protocol: EvalProtocol = HOIA
) -> RankedCandidates:
    """Match candidates of equal subject label, object label and verb, and rank them by verb.

    Args:
        preds (TripletTable): Candidates of all images; per image in descending score order.
        gts (TripletTable): Ground truth of all images.
        coder (TripletCoder): Numbers of classes.
        protocol (EvalProtocol): Conventions. Defaults to :data:`~.protocol.HOIA`.

    Returns:
        RankedCandidates: A class is a verb.
    """
    is_tp = match_triplets(preds, gts, coder, protocol)
    pred_verbs, gt_verbs = coder.decode(preds.classes)[2], coder.decode(gts.classes)[2]
    return rank_candidates(pred_verbs, preds.scores, is_tp, gt_verbs, preds.image, gts.image)


def verb_table(results: ClassResults, num_verbs: int) -> dict[str, np.ndarray]:
    """``ap`` and ``max_recall`` of all V verbs, (V,) each; a verb without ground truth has 0, as officially."""
    table = {}
    for name in ("ap", "max_recall"):
        table[name] = np.zeros(num_verbs)
        table[name][results.classes] = np.nan_to_num(getattr(results, name))
    return table
