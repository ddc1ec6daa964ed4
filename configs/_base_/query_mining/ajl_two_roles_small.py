# HQM for small detectors with two queries per pair: 2 x 128 channels; of 6 x 6 positions the 10 most attended.
_base_ = ["./ajl.py"]
query_mining = dict(miners=dict(gbs=dict(embed_dims=256), amm=dict(top_k=10)))
