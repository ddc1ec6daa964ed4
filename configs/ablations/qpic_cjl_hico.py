# Table 1, cascaded joint learning: AMM masks the attention of GBS's queries. Published: 30.11 mAP.
_base_ = ["../qpic_hqm_hico.py"]
model = dict(query_mining=dict(rounds=[[["gbs", "amm"]]]))
