# Conditional DETR for pairs + HQM, V-COCO. No published result.
_base_ = [
    "./conditional_vcoco.py",
    "./_base_/query_mining/ajl.py",
]
model = dict(query_mining=_base_.query_mining)
