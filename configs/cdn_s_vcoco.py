# CDN-S, ResNet-50, V-COCO: 8 GPUs x 2 images, 90 epochs. Published, after a second stage: 61.68 AP_role (scenario 1).
# Repeated pairs are suppressed as in the official export, which ranks them by scores that the verb-object table has
# masked: bbox_head.verb_object_mask="data/v-coco/annotations/corre_vcoco.npy" does the same.
_base_ = [
    "./_base_/models/cdn_r50.py",
    "./_base_/datasets/v_coco.py",
    "./_base_/schedules/cdn_90e.py",
    "./_base_/default_runtime.py",
]
# 80 object classes and, as last class, "the pair has no object".
model = dict(num_queries=100, bbox_head=dict(num_obj_classes=81, num_verbs=29, pair_nms=dict(type="PairNMS")))
default_hooks = dict(checkpoint=dict(save_best="vcoco/role_s1"))
