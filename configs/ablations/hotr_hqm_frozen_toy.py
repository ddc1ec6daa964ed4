# The same with HQM.
_base_ = ["./hotr_frozen_toy.py", "../_base_/query_mining/ajl_small.py"]
model = dict(query_mining=_base_.query_mining)
