"""Heads on the instances of any detector: pairs of them as tokens (UPT) or queries (PViC).

Reading order: pair_transformer_hoi.py, selection.py, candidates.py, head.py, spatial.py, pair_verb_loss.py;
upt_head.py, upt_layers.py; pvic_head.py, pvic_layers.py, window_attention.py. Hard positives:
hard_pairs.py.
"""

from .candidates import Candidates, candidates_of, pair_up
from .head import CandidateHead
from .pair_transformer_hoi import PairTransformerHOI
from .pair_verb_loss import PairVerbLoss, adjusted_logits, associated_verbs
from .pvic_head import PViCHead
from .selection import InstanceSelection
from .upt_head import UPTHead

__all__ = [
    "CandidateHead",
    "Candidates",
    "InstanceSelection",
    "PairTransformerHOI",
    "PViCHead",
    "PairVerbLoss",
    "UPTHead",
    "adjusted_logits",
    "associated_verbs",
    "candidates_of",
    "pair_up",
]
