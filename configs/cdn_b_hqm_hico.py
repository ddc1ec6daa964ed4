# CDN-B + HQM: cdn_s_hqm_hico.py with 6 + 6 decoder layers.
_base_ = ["./cdn_s_hqm_hico.py"]
model = dict(decoder=dict(num_layers=6))
