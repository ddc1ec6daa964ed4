# The small UPT + HQM on the toy set.
_base_ = [
    "./upt_toy.py",
    "./_base_/query_mining/ajl_small.py",
]
model = dict(query_mining=_base_.query_mining)
