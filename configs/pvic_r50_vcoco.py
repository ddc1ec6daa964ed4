# PViC, DETR-R50, V-COCO: 8 GPUs x 2 images, 30 epochs. Published: 62.8 AP_role (scenario 1).
_base_ = [
    "./_base_/models/pvic_r50.py",
    "./_base_/datasets/v_coco.py",
    "./_base_/schedules/pvic_30e.py",
    "./_base_/default_runtime.py",
]
model = dict(
    bbox_head=dict(
        num_verbs=29,
        hois="v_coco_actions",
        # Of 29 verbs the 24 that have an object and are evaluated: not stand, walk, run, smile, point.
        verb_order=[0, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 24, 25, 27, 28],
    )
)
default_hooks = dict(checkpoint=dict(save_best="vcoco/role_s1"))
