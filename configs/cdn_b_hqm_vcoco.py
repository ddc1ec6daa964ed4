# CDN-B + HQM: cdn_s_hqm_vcoco.py with 6 + 6 decoder layers.
_base_ = ["./cdn_s_hqm_vcoco.py"]
model = dict(decoder=dict(num_layers=6))
