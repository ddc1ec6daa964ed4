# Table 4, "w/o top-K", on the toy set (`make study`): random positions, same share.
_base_ = ["./qpic_amm_toy.py"]
model = dict(query_mining=dict(miners=dict(amm=dict(reference="random"))))
