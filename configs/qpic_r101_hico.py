# QPIC, ResNet-101, HICO-DET: as qpic_hico.py with a deeper backbone.
_base_ = ["./qpic_hico.py"]
model = dict(backbone=dict(depth=101))
