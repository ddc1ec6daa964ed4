# The small QPIC + HQM on the toy set.
_base_ = [
    "./qpic_toy.py",
    "./_base_/query_mining/ajl_small.py",
]
model = dict(query_mining=_base_.query_mining)
