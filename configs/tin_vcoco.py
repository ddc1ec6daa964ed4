# TIN, ResNet-50, V-COCO: 1 GPU x 1 image. Published: 48.7 AP_role (scenario 1, RP_T2 C_D), 49.0 (released code).
_base_ = [
    "./_base_/models/tin_r50.py",
    "./_base_/datasets/v_coco_boxes.py",
    "./_base_/schedules/tin_finetune.py",
    "./_base_/default_runtime.py",
]
model = dict(
    pair_sampler=dict(sub_score_thr=0.6, obj_score_thr=0.4, fallback=0),
    bbox_head=dict(
        num_obj_classes=80,
        num_verbs=29,
        # The official weights number actions from surf to catch; this is the verb of each.
        verb_order=[
            21,
            20,
            16,
            4,
            17,
            3,
            12,
            25,
            19,
            8,
            2,
            10,
            11,
            24,
            13,
            14,
            9,
            23,
            5,
            6,
            7,
            28,
            18,
            26,
            27,
            0,
            22,
            1,
            15,
        ],
        without_object=[1, 4, 18, 23],  # stand, walk, run, smile
        loss_weights=dict(sub=2.0),
        lis=dict(a=6.0, b=6.0, c=7.0),
        interactiveness=dict(sub_context_with="object", class_weights=(1.0986123, 0.4054651)),
    ),
)
default_hooks = dict(checkpoint=dict(save_best="vcoco/role_s1"))
