# A small FCOS on the boxes of the toy set, by mmdet's own head: the detector of docs/two_stage.md's tutorial.
_base_ = [
    "../_base_/models/fcos_small.py",
    "../_base_/datasets/toy_hoi.py",
    "../_base_/schedules/toy.py",
    "../_base_/default_runtime.py",
]
model = _base_.fcos
# Boxes alone: pairs are not evaluated.
train_cfg = dict(val_interval=100)
val_dataloader = None
val_evaluator = None
val_cfg = None
test_dataloader = None
test_evaluator = None
test_cfg = None
default_hooks = dict(checkpoint=dict(save_best=None))
