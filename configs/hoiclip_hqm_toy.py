# The small HOICLIP + HQM on the toy set.
_base_ = [
    "./hoiclip_toy.py",
    "./_base_/query_mining/ajl_two_roles_small.py",
]
model = dict(query_mining=_base_.query_mining)
