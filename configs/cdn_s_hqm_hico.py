# CDN-S + HQM, ResNet-50, HICO-DET: 8 GPUs x 2 images, 60 epochs, learning rate / 10 after 30. Published: 32.47 mAP.
_base_ = [
    "./cdn_s_hico.py",
    "./_base_/query_mining/ajl.py",
]
model = dict(query_mining=_base_.query_mining)
param_scheduler = [dict(_base_.param_scheduler[0], end=60, milestones=[30])]
train_cfg = dict(max_epochs=60, dynamic_intervals=[(31, 1)])
