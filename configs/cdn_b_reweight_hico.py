# Second stage of CDN-B: cdn_s_reweight_hico.py with 6 + 6 decoder layers (the official commands are CDN-S's alone).
# Published: 31.78 mAP.
_base_ = ["./cdn_s_reweight_hico.py"]
load_from = "work_dirs/cdn_b_hico/epoch_90.pth"
model = dict(decoder=dict(num_layers=6))
