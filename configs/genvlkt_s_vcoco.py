# GEN-VLKT-S, ResNet-50, V-COCO: 8 GPUs x 2 images, 90 epochs.
_base_ = [
    "./_base_/models/genvlkt_s_r50.py",
    "./_base_/datasets/v_coco.py",
    "./_base_/schedules/genvlkt_90e.py",
    "./_base_/default_runtime.py",
]
# 80 object classes and, as last class, "no object with this verb".
model = dict(bbox_head=dict(num_obj_classes=81, num_verbs=29, hois="v_coco"))
