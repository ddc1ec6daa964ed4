# Table 2, CDN with AMM only. Published: 32.05 mAP.
_base_ = ["../cdn_s_hqm_hico.py"]
model = dict(query_mining=dict(rounds=[["amm"]]))
