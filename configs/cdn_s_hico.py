# CDN-S, ResNet-50, HICO-DET: 8 GPUs x 2 images, 90 epochs. Published, after a second stage that this config does not
# hold: 31.44 mAP (default, full).
_base_ = [
    "./_base_/models/cdn_r50.py",
    "./_base_/datasets/hico_det.py",
    "./_base_/schedules/cdn_90e.py",
    "./_base_/default_runtime.py",
]
model = dict(bbox_head=dict(num_obj_classes=80, num_verbs=117))
