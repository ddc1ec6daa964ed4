# Table 4, "w/o Q^m": the learnable queries themselves are masked. Published: 28.75 mAP.
_base_ = ["../qpic_hqm_hico.py"]
model = dict(
    query_mining=dict(
        miners=dict(amm=dict(reference="own")),
        rounds=[[]],
        mask_learnable="amm",
    )
)
