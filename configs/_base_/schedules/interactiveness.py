# The interactiveness network alone: HICO-DET's recipe of TIN, ended where its released D model was taken (80,000
# iterations, the first cosine period), since it overfits when trained on.
_base_ = ["./tin_cosine.py"]
param_scheduler = [dict(type="CosineAnnealingLR", by_epoch=False, T_max=80000, begin=0, end=80000, eta_min=0.0)]
train_cfg = dict(max_epochs=2, val_interval=1)
