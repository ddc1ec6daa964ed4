# QPIC + HQM, ResNet-50, HICO-DET: 8 GPUs x 2 images, 80 epochs, learning rate / 10 after 50. Published: 31.34 mAP.
_base_ = [
    "./qpic_hico.py",
    "./_base_/query_mining/ajl.py",
]
model = dict(query_mining=_base_.query_mining)
param_scheduler = [dict(_base_.param_scheduler[0], end=80, milestones=[50])]
train_cfg = dict(max_epochs=80, dynamic_intervals=[(51, 1)])
