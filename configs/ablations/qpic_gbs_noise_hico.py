# Table 3, "w Gaussian noise": noise on the query instead of the shift. Published: 30.05 mAP (noise size not given).
_base_ = ["../qpic_hqm_hico.py"]
model = dict(
    query_mining=dict(
        miners=dict(gbs=dict(shift=None, noise_std=0.1)),
        rounds=[["gbs"]],
    )
)
