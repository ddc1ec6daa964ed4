# gamma sweep: 20% of the candidates are dropped (default 40%).
_base_ = ["../qpic_hqm_hico.py"]
model = dict(query_mining=dict(miners=dict(amm=dict(gamma=0.2)), rounds=[["amm"]]))
