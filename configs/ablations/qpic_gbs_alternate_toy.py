# GBS in every other iteration and nothing between: AJL without its masking, on the toy set (`make study`).
_base_ = ["../qpic_hqm_toy.py"]
model = dict(query_mining=dict(rounds=[["gbs"], []]))
