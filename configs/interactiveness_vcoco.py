# Interactiveness learned on V-COCO: used with a V-COCO detector this is the paper's RP_D, with a HICO-DET one RP_T1.
_base_ = [
    "./_base_/models/interactiveness_r50.py",
    "./_base_/datasets/v_coco_boxes.py",
    "./_base_/schedules/interactiveness.py",
    "./_base_/default_runtime.py",
]
model = dict(
    instances=dict(type="StoredInstances"),
    pair_sampler=dict(sub_score_thr=0.6, obj_score_thr=0.4, fallback=0),
    bbox_head=dict(sub_context_with="object", class_weights=(1.0986123, 0.4054651)),
)
val_evaluator = dict(_delete_=True, type="InteractivenessMetric")
test_evaluator = val_evaluator
train_cfg = dict(max_epochs=11)  # 60,000 iterations, where the released D model was taken
default_hooks = dict(checkpoint=dict(save_best="interactiveness/mAP"))
