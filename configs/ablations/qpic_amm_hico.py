# Table 1, AMM only. Published: 30.58 mAP.
_base_ = ["../qpic_hqm_hico.py"]
model = dict(query_mining=dict(rounds=[["amm"]]))
