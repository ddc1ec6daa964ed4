# Second stage of the small TIN on the toy set: HOI and interactiveness together, from the end of the first one.
_base_ = ["./tin_toy.py"]
load_from = "work_dirs/tin_hoi_toy/epoch_23.pth"
optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_cfg = dict(max_epochs=6, val_interval=6)
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, begin=0, end=6, milestones=[4], gamma=0.3)]
