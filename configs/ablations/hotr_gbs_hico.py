# Table 2, HOTR with GBS only. Published: 24.67 mAP.
_base_ = ["../hotr_hqm_hico.py"]
model = dict(query_mining=dict(rounds=[["gbs"]]))
