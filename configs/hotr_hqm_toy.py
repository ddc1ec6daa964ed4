# The small HOTR on the toy set, with HQM.
_base_ = ["./hotr_toy.py", "./_base_/query_mining/ajl_toy.py"]
model = dict(query_mining=_base_.query_mining)
