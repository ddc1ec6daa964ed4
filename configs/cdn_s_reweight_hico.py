# Second stage of CDN-S on HICO-DET, from the end of the first one: 8 GPUs x 2 images, 10 epochs. Published: 31.44 mAP.
_base_ = [
    "./cdn_s_hico.py",
    "./_base_/reweighting/stage2.py",
]
load_from = "work_dirs/cdn_s_hico/epoch_90.pth"
model = dict(
    trainable=_base_.trainable,
    bbox_head=dict(obj_reweighting=_base_.reweighting, verb_reweighting=_base_.reweighting),
)
custom_hooks = _base_.reweighting_hooks
optim_wrapper = dict(optimizer=dict(lr=1e-5))
param_scheduler = None
train_cfg = dict(max_epochs=10, val_interval=1, dynamic_intervals=None)
