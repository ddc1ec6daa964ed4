# HQM on maps of 12 x 12 positions (`make study`).
_base_ = ["./qpic_stride8_toy.py", "../_base_/query_mining/ajl_stride8.py"]
model = dict(query_mining=_base_.query_mining)
