# Parallel joint learning: both sets in every iteration at half weight, on the toy set (`make study`).
_base_ = ["../qpic_hqm_toy.py"]
model = dict(
    query_mining=dict(
        miners=dict(gbs=dict(loss_weight=0.5), amm=dict(loss_weight=0.5)),
        rounds=[["gbs", "amm"]],
    )
)
