# A small QPIC on the embedded toy set: minutes on two CPU cores. `make quickstart` trains it, with HQM.
_base_ = [
    "./_base_/models/qpic_small.py",
    "./_base_/datasets/toy_hoi.py",
    "./_base_/schedules/toy.py",
    "./_base_/default_runtime.py",
]
# 8 object classes and, as last class, "no object with this verb" (wave).
model = dict(bbox_head=dict(num_obj_classes=9, num_verbs=11))

# Its mAP still rises when the other toy models' schedule ends, and the quick start has time for more.
max_epochs = 25
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
param_scheduler = [
    dict(type="LinearLR", by_epoch=False, begin=0, end=200, start_factor=0.05),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=max_epochs, milestones=[18, 22], gamma=0.3),
]
