# The small QPIC + HQM on the toy set. `make quickstart` trains it.
_base_ = [
    "./qpic_toy.py",
    "./_base_/query_mining/ajl_small.py",
]
model = dict(query_mining=_base_.query_mining)
