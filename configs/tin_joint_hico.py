# Second stage of TIN on HICO-DET: HOI and interactiveness together, from the end of the first one. The authors say that
# interactiveness converges within 100,000 iterations and overfits later: one cosine period, 80,000.
_base_ = ["./tin_hico.py"]
load_from = "work_dirs/tin_hoi_hico/epoch_53.pth"
param_scheduler = [dict(type="CosineAnnealingLR", by_epoch=False, T_max=80000, begin=0, end=80000, eta_min=0.0)]
train_cfg = dict(max_epochs=2, val_interval=1)
