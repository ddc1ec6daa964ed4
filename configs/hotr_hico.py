# HOTR, ResNet-50, HICO-DET: 8 GPUs x 2 images, 100 epochs. Published: 23.76 mAP (default, full) with the COCO detector,
# 25.73 with heads tuned on HICO-DET. The frozen DETR comes from a checkpoint: load_from, see README, Checkpoints.
_base_ = [
    "./_base_/models/hotr_r50.py",
    "./_base_/datasets/hico_det.py",
    "./_base_/schedules/hotr_100e.py",
    "./_base_/default_runtime.py",
]
