# A small QPIC on the embedded toy set: minutes on two CPU cores. `make quickstart` trains it.
_base_ = [
    "./_base_/models/qpic_small.py",
    "./_base_/datasets/toy_hoi.py",
    "./_base_/schedules/toy.py",
    "./_base_/default_runtime.py",
]
# 8 object classes and, as last class, "no object with this verb" (wave).
model = dict(bbox_head=dict(num_obj_classes=9, num_verbs=11))
