# A small GEN-VLKT on the toy set. First: python tools/clip/train_toy_clip.py weights/toy_clip.safetensors
_base_ = [
    "./_base_/models/genvlkt_small.py",
    "./_base_/datasets/toy_hoi.py",
    "./_base_/schedules/toy.py",
    "./_base_/default_runtime.py",
]
# 8 object classes and, as last class, "no object with this verb" (wave).
model = dict(bbox_head=dict(num_obj_classes=9, num_verbs=11, hois="toy_hoi"))
