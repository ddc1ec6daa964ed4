# HOICLIP, ResNet-50, HICO-DET: 2 GPUs x 8 images, 90 epochs. Published: 34.69 mAP (default, full, with enhancement).
_base_ = [
    "./_base_/models/hoiclip_r50.py",
    "./_base_/datasets/hico_det.py",
    "./_base_/schedules/hoiclip_90e.py",
    "./_base_/default_runtime.py",
]
# Made by: python tools/clip/make_verb_file.py configs/hoiclip_hico.py
model = dict(bbox_head=dict(num_obj_classes=80, num_verbs=117, verb_file="weights/verbs_hico.safetensors"))
val_evaluator = dict(pair_nms=dict(threshold=0.7, alpha=1.0, beta=0.5))
test_evaluator = val_evaluator
