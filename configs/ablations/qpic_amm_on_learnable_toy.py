# Table 4, "w/o Q^m", on the toy set (`make study`): the learnable queries themselves are masked.
_base_ = ["../qpic_hqm_toy.py"]
model = dict(
    query_mining=dict(
        miners=dict(amm=dict(reference="own")),
        rounds=[[]],
        mask_learnable="amm",
    )
)
