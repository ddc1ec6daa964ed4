# HOICLIP, ResNet-50, V-COCO: 2 GPUs x 8 images, 90 epochs.
_base_ = [
    "./_base_/models/hoiclip_r50.py",
    "./_base_/datasets/v_coco.py",
    "./_base_/schedules/hoiclip_90e.py",
    "./_base_/default_runtime.py",
]
# 80 object classes and, as last class, "no object with this verb".
# The verb file is made by: python tools/clip/make_verb_file.py configs/hoiclip_vcoco.py
model = dict(
    bbox_head=dict(
        num_obj_classes=81, num_verbs=29, hois="v_coco", verb_weight=0.1, verb_file="weights/verbs_vcoco.safetensors"
    )
)
