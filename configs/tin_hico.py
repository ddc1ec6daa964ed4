# TIN, ResNet-50, HICO-DET: 1 GPU x 1 image. Published: 17.54 mAP (default, full; released code, own detections).
_base_ = [
    "./_base_/models/tin_r50.py",
    "./_base_/datasets/hico_det_boxes.py",
    "./_base_/schedules/tin_cosine.py",
    "./_base_/default_runtime.py",
]
model = dict(
    bbox_head=dict(
        num_obj_classes=80,
        num_verbs=117,
        triplets="hico_triplets",
        no_interaction=57,
        lis=dict(a=6.0, b=10.0, c=1.4),
    )
)
