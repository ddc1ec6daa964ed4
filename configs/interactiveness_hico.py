# Interactiveness learned on HICO-DET: used with a HICO-DET detector this is the paper's RP_D, with a V-COCO one RP_T1.
_base_ = [
    "./_base_/models/interactiveness_r50.py",
    "./_base_/datasets/hico_det_boxes.py",
    "./_base_/schedules/interactiveness.py",
    "./_base_/default_runtime.py",
]
model = dict(instances=dict(type="StoredInstances"))
val_evaluator = dict(_delete_=True, type="InteractivenessMetric")
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best="interactiveness/mAP"))
