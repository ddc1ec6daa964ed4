# The small QPIC on maps of 12 x 12 positions instead of 6 x 6: the backbone without its last stage (`make study`).
_base_ = ["../qpic_toy.py"]
model = dict(
    backbone=dict(arch_ovewrite=[[24, 48, 1, True, False], [48, 96, 1, True, False]], out_indices=(2,)),
    neck=dict(in_channels=[96]),
)
