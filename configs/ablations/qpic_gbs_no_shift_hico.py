# Table 3, "w/o Shift": GBS encodes the true boxes. Published: 29.61 mAP.
_base_ = ["../qpic_hqm_hico.py"]
model = dict(
    query_mining=dict(
        miners=dict(gbs=dict(shift=None)),
        rounds=[["gbs"]],
    )
)
