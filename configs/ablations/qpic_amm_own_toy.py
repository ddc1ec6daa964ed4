# Table 4, "w/o A^l", on the toy set (`make study`): the hard queries' own largest scores.
_base_ = ["./qpic_amm_toy.py"]
model = dict(query_mining=dict(miners=dict(amm=dict(reference="own"))))
