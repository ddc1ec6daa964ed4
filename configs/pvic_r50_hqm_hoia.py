# PViC + HQM, DETR-R50, HOI-A. DETR has no features of shifted boxes: hard pairs have those of the best candidate.
_base_ = [
    "./pvic_r50_hoia.py",
    "./_base_/query_mining/ajl.py",
]
model = dict(query_mining=_base_.query_mining)
