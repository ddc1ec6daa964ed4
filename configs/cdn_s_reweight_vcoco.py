# Second stage of CDN-S on V-COCO: as cdn_s_reweight_hico.py, but verbs alone are re-weighted. Published: 61.68 AP_role
# (scenario 1).
_base_ = [
    "./cdn_s_vcoco.py",
    "./_base_/reweighting/stage2.py",
]
load_from = "work_dirs/cdn_s_vcoco/epoch_90.pth"
model = dict(trainable=_base_.trainable, bbox_head=dict(verb_reweighting=_base_.reweighting))
custom_hooks = _base_.reweighting_hooks
optim_wrapper = dict(optimizer=dict(lr=1e-5))
param_scheduler = None
train_cfg = dict(max_epochs=10, val_interval=1, dynamic_intervals=None)
