# First stage of CDN: QPIC's recipe with 90 epochs, learning rate / 10 after 60.
_base_ = ["./qpic_150e.py"]
param_scheduler = [dict(_base_.param_scheduler[0], end=90, milestones=[60])]
train_cfg = dict(max_epochs=90, dynamic_intervals=[(61, 1)])
