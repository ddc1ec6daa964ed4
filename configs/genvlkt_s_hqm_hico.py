# GEN-VLKT-S + HQM, ResNet-50, HICO-DET.
_base_ = [
    "./genvlkt_s_hico.py",
    "./_base_/query_mining/ajl_two_roles.py",
]
model = dict(query_mining=_base_.query_mining)
