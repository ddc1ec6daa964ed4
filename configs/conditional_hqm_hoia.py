# Conditional DETR for pairs + HQM, HOI-A. No published result.
_base_ = [
    "./conditional_hoia.py",
    "./_base_/query_mining/ajl.py",
]
model = dict(query_mining=_base_.query_mining)
