# PViC, DETR-R50, HICO-DET: 8 GPUs x 2 images, 30 epochs. Published: 34.69 mAP (default, full).
# Training needs a DETR tuned on HICO-DET's boxes: model.instances.checkpoint, see docs/two_stage.md.
_base_ = [
    "./_base_/models/pvic_r50.py",
    "./_base_/datasets/hico_det.py",
    "./_base_/schedules/pvic_30e.py",
    "./_base_/default_runtime.py",
]
