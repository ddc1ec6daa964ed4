# QPIC, ResNet-50, HOI-A: 8 GPUs x 2 images, 150 epochs. Published (by HQM's authors): 74.10 mAP.
_base_ = [
    "./_base_/models/qpic_r50.py",
    "./_base_/datasets/hoi_a.py",
    "./_base_/schedules/qpic_150e.py",
    "./_base_/default_runtime.py",
]
model = dict(bbox_head=dict(num_obj_classes=11, num_verbs=10))
default_hooks = dict(
    checkpoint=dict(save_best="hoia/mAP"),
    weight_check=dict(fresh=("bbox_head.obj_cls.",)),  # DETR's class layer is COCO's
)
