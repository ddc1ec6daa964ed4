# The small GEN-VLKT + HQM on the toy set.
_base_ = [
    "./genvlkt_s_toy.py",
    "./_base_/query_mining/ajl_two_roles_small.py",
]
model = dict(query_mining=_base_.query_mining)
