# Table 3, "w Gaussian noise", on the toy set (`make study`): noise on the query instead of the shift.
_base_ = ["./qpic_gbs_toy.py"]
model = dict(query_mining=dict(miners=dict(gbs=dict(shift=None, noise_std=0.1))))
