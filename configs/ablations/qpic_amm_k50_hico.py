# K sweep: the 50 largest scores are candidates (default 100).
_base_ = ["../qpic_hqm_hico.py"]
model = dict(query_mining=dict(miners=dict(amm=dict(top_k=50)), rounds=[["amm"]]))
