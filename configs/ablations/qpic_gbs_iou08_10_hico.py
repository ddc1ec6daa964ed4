# IoU sweep: shifted boxes overlap the truth by 0.8 to 1.0 (default 0.4 to 0.6).
_base_ = ["../qpic_hqm_hico.py"]
model = dict(
    query_mining=dict(
        miners=dict(gbs=dict(shift=dict(iou_range=(0.8, 1.0)))),
        rounds=[["gbs"]],
    )
)
