# Conditional DETR for pairs, ResNet-50, HOI-A, with the settings of conditional_hico.py. No published result.
_base_ = ["./qpic_hoia.py"]
needs_start = "conditional"
model = dict(type="ConditionalHOI", bbox_head=dict(type="ConditionalHOIHead"))
param_scheduler = [dict(_base_.param_scheduler[0], end=80, milestones=[50])]
train_cfg = dict(max_epochs=80, dynamic_intervals=[(51, 1)])
