# CDN-L: cdn_b_vcoco.py with ResNet-101. Published, after a second stage: 63.91 AP_role (scenario 1).
_base_ = ["./cdn_b_vcoco.py"]
model = dict(backbone=dict(depth=101))
