# Table 2, HOTR with AMM only. Published: 24.73 mAP.
_base_ = ["../hotr_hqm_hico.py"]
model = dict(query_mining=dict(rounds=[["amm"]]))
