# HQM for the small models: 128 channels; of 6 x 6 positions the 10 most attended are what 100 are on HICO-DET's maps.
_base_ = ["./ajl.py"]
query_mining = dict(miners=dict(gbs=dict(embed_dims=128), amm=dict(top_k=10)))
