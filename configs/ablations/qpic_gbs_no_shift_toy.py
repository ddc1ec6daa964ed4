# Table 3, "w/o Shift", on the toy set (`make study`): GBS encodes the true boxes.
_base_ = ["./qpic_gbs_toy.py"]
model = dict(query_mining=dict(miners=dict(gbs=dict(shift=None))))
