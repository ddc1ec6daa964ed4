# HOTR's recipe: as DETR's, 100 epochs, learning rate / 10 after 80.
_base_ = ["./qpic_150e.py"]
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, begin=0, end=100, milestones=[80], gamma=0.1)]
train_cfg = dict(max_epochs=100, dynamic_intervals=[(81, 1)])
