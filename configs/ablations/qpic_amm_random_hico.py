# Table 4, "w/o top-K": random positions, same share. Published: 30.06 mAP.
_base_ = ["../qpic_hqm_hico.py"]
model = dict(
    query_mining=dict(
        miners=dict(amm=dict(reference="random")),
        rounds=[["amm"]],
    )
)
