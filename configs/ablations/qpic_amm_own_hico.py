# Table 4, "w/o A^l": the hard queries' own largest scores. Published: 30.11 mAP.
_base_ = ["../qpic_hqm_hico.py"]
model = dict(
    query_mining=dict(
        miners=dict(amm=dict(reference="own")),
        rounds=[["amm"]],
    )
)
