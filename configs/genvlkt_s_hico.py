# GEN-VLKT-S, ResNet-50, HICO-DET: 8 GPUs x 2 images, 90 epochs. Published: 33.75 mAP (default, full).
_base_ = [
    "./_base_/models/genvlkt_s_r50.py",
    "./_base_/datasets/hico_det.py",
    "./_base_/schedules/genvlkt_90e.py",
    "./_base_/default_runtime.py",
]
model = dict(bbox_head=dict(num_obj_classes=80, num_verbs=117))
val_evaluator = dict(pair_nms=dict(threshold=0.7, alpha=1.0, beta=0.5))
test_evaluator = val_evaluator
