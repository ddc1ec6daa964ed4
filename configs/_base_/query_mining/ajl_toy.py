# HQM for the small models on the toy set: 128 wide. Of 6 x 6 positions the 10 most attended ones are what 100 are on
# HICO-DET's maps.
_base_ = ["./ajl.py"]
query_mining = dict(miners=dict(gbs=dict(embed_dims=128), amm=dict(top_k=10)))
