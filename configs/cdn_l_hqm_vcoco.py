# CDN-L + HQM: cdn_b_hqm_vcoco.py with ResNet-101.
_base_ = ["./cdn_b_hqm_vcoco.py"]
model = dict(backbone=dict(depth=101))
