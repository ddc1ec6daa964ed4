# Table 1, GBS only. Published: 30.57 mAP.
_base_ = ["../qpic_hqm_hico.py"]
model = dict(query_mining=dict(rounds=[["gbs"]]))
