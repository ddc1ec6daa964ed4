# CDN-B: cdn_s_vcoco.py with 6 + 6 decoder layers. Published, after a second stage: 62.29 AP_role (scenario 1).
_base_ = ["./cdn_s_vcoco.py"]
model = dict(decoder=dict(num_layers=6))
