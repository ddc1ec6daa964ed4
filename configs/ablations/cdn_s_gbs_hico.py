# Table 2, CDN with GBS only. Published: 32.07 mAP.
_base_ = ["../cdn_s_hqm_hico.py"]
model = dict(query_mining=dict(rounds=[["gbs"]]))
