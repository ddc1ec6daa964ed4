# A small UPT on the embedded toy set, on annotated boxes: minutes on two CPU cores.
_base_ = [
    "./_base_/models/upt_small.py",
    "./_base_/datasets/toy_hoi.py",
    "./_base_/schedules/toy.py",
    "./_base_/default_runtime.py",
]
model = dict(bbox_head=dict(num_obj_classes=8, num_verbs=11, hois="toy_hoi"))
