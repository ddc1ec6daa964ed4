# Template for your own data set (docs/own_data.md): copy it, and set both sizes to the numbers of names in names.json.
_base_ = [
    "./_base_/models/qpic_r50.py",
    "./_base_/datasets/own_hoi.py",
    "./_base_/schedules/qpic_150e.py",
    "./_base_/default_runtime.py",
]
# Classes (one more if your pairs may lack an object), and verbs.
model = dict(bbox_head=dict(num_obj_classes=2, num_verbs=2))
# Initialisation from a DETR: its class layer is COCO's, so yours starts afresh.
default_hooks = dict(weight_check=dict(fresh=("bbox_head.obj_cls.",)))
