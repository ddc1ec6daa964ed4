# QPIC + HQM, ResNet-50, HICO-DET: 8 GPUs x 2 images, 80 epochs. Published: 31.34 mAP (default, full).
_base_ = [
    "./qpic_hico.py",
    "./_base_/query_mining/ajl.py",
]
model = dict(query_mining=_base_.query_mining)
