# CLIP on pairs of a COCO detector, HICO-DET's classes, without HOI training. tools/clip/make_clip_pairs.py makes a
# checkpoint out of both files.
_base_ = [
    "./_base_/models/clip_pairs.py",
    "./_base_/datasets/hico_det.py",
    "./_base_/schedules/upt_20e.py",
    "./_base_/default_runtime.py",
]
