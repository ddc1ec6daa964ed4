# Conditional DETR for pairs, ResNet-50, HICO-DET, with HQM's settings: 100 queries, 80 epochs, learning rate / 10 after
# 50. Published (HQM paper, table 6): 29.65 mAP.
_base_ = ["./qpic_hico.py"]
needs_start = "conditional"
model = dict(type="ConditionalHOI", bbox_head=dict(type="ConditionalHOIHead"))
param_scheduler = [dict(_base_.param_scheduler[0], end=80, milestones=[50])]
train_cfg = dict(max_epochs=80, dynamic_intervals=[(51, 1)])
