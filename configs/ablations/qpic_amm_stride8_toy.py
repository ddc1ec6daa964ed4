# AMM only, on maps of 12 x 12 positions (`make study`).
_base_ = ["./qpic_hqm_stride8_toy.py"]
model = dict(query_mining=dict(rounds=[["amm"]]))
