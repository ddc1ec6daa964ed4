# Conditional DETR for pairs + HQM. The paper gives no result of this combination.
_base_ = [
    "./conditional_hico.py",
    "./_base_/query_mining/ajl.py",
]
model = dict(query_mining=_base_.query_mining)
