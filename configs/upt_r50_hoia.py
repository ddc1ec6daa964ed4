# UPT, DETR-R50, HOI-A: 8 GPUs x 2 images, 20 epochs. Which verb goes with which object is not given: all do.
# Training needs a DETR tuned on HOI-A's 11 classes: model.instances.checkpoint, see docs/two_stage.md.
_base_ = [
    "./_base_/models/upt_r50.py",
    "./_base_/datasets/hoi_a.py",
    "./_base_/schedules/upt_20e.py",
    "./_base_/default_runtime.py",
]
model = dict(
    instances=dict(detector=dict(bbox_head=dict(num_classes=11))),
    bbox_head=dict(num_obj_classes=11, num_verbs=10, hois=None),
)
default_hooks = dict(checkpoint=dict(save_best="hoia/mAP"))
