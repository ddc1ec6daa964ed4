# UPT, DETR-R50, HICO-DET: 8 GPUs x 2 images, 20 epochs. Published: 31.66 mAP (default, full).
# Training needs a DETR tuned on HICO-DET's boxes: model.instances.checkpoint, see docs/two_stage.md.
_base_ = [
    "./_base_/models/upt_r50.py",
    "./_base_/datasets/hico_det.py",
    "./_base_/schedules/upt_20e.py",
    "./_base_/default_runtime.py",
]
