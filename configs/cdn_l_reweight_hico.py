# Second stage of CDN-L: cdn_b_reweight_hico.py with ResNet-101. Published: 32.07 mAP.
_base_ = ["./cdn_b_reweight_hico.py"]
load_from = "work_dirs/cdn_l_hico/epoch_90.pth"
model = dict(backbone=dict(depth=101))
