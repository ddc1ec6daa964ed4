# K sweep: the 200 largest scores are candidates (default 100).
_base_ = ["../qpic_hqm_hico.py"]
model = dict(query_mining=dict(miners=dict(amm=dict(top_k=200)), rounds=[["amm"]]))
