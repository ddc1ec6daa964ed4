# A CDN for small images and CPUs: qpic_small.py with 2 + 2 decoder layers.
_base_ = ["./qpic_small.py"]
model = dict(type="CDN", decoder=dict(num_layers=2))
