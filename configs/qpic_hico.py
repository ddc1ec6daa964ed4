# QPIC, ResNet-50, HICO-DET: 8 GPUs x 2 images, 150 epochs. Published: 29.07 mAP (default, full).
_base_ = [
    "./_base_/models/qpic_r50.py",
    "./_base_/datasets/hico_det.py",
    "./_base_/schedules/qpic_150e.py",
    "./_base_/default_runtime.py",
]
model = dict(bbox_head=dict(num_obj_classes=80, num_verbs=117))
