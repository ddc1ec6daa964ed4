# HOTR's recipe: as DETR's, 100 epochs, learning rate / 10 after 80.
_base_ = ["./qpic_150e.py"]
param_scheduler = [dict(_base_.param_scheduler[0], end=100, milestones=[80])]
train_cfg = dict(max_epochs=100, dynamic_intervals=[(81, 1)])
