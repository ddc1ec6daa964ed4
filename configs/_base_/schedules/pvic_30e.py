# PViC's recipe: 16 images, 30 epochs, learning rate x 0.2 after 20. The detector is frozen.
_base_ = ["./upt_20e.py"]
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, begin=0, end=30, milestones=[20], gamma=0.2)]
train_cfg = dict(max_epochs=30)
