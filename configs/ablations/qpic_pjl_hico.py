# Table 1, parallel joint learning: both sets in every iteration at half weight. Published: 30.81 mAP.
_base_ = ["../qpic_hqm_hico.py"]
model = dict(
    query_mining=dict(
        miners=dict(gbs=dict(loss_weight=0.5), amm=dict(loss_weight=0.5)),
        rounds=[["gbs", "amm"]],
    )
)
