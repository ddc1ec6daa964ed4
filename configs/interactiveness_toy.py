# The small interactiveness network on the embedded toy set: a minute per epoch on one CPU core.
_base_ = [
    "./_base_/models/interactiveness_small.py",
    "./_base_/datasets/toy_hoi.py",
    "./_base_/schedules/toy.py",
    "./_base_/default_runtime.py",
]
val_evaluator = dict(_delete_=True, type="InteractivenessMetric")
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best="interactiveness/mAP"))
train_cfg = dict(max_epochs=6, val_interval=3)
param_scheduler = [
    dict(type="LinearLR", by_epoch=False, begin=0, end=200, start_factor=0.05),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=6, milestones=[4], gamma=0.3),
]
