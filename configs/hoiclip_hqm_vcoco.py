# HOICLIP + HQM, ResNet-50, V-COCO.
_base_ = [
    "./hoiclip_vcoco.py",
    "./_base_/query_mining/ajl_two_roles.py",
]
model = dict(query_mining=_base_.query_mining)
