# The small QPIC + HQM on the toy set. Of 6 x 6 positions the 10 most attended ones are what 100 are on HICO-DET's maps.
_base_ = [
    "./qpic_toy.py",
    "./_base_/query_mining/ajl.py",
]
model = dict(
    query_mining=dict(
        _base_.query_mining,
        miners=dict(
            gbs=dict(_base_.query_mining.miners.gbs, embed_dims=128),
            amm=dict(_base_.query_mining.miners.amm, top_k=10),
        ),
    )
)
