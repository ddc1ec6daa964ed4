# HOTR, ResNet-50, V-COCO: 8 GPUs x 2 images, 100 epochs. Published: 58.9 / 63.8 AP_role (scenario 1 / 2). The frozen
# DETR comes from a checkpoint: load_from, see README, Checkpoints.
_base_ = [
    "./_base_/models/hotr_r50_vcoco.py",
    "./_base_/datasets/v_coco.py",
    "./_base_/schedules/hotr_100e.py",
    "./_base_/default_runtime.py",
]
# No table of valid combinations takes part in HOTR's scores.
val_evaluator = dict(protocol="official")
test_evaluator = val_evaluator
