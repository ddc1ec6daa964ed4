# HQM on maps of 12 x 12: the 14 most attended positions are a tenth of them, as 100 are of HICO-DET's 1,000.
_base_ = ["./ajl_small.py"]
query_mining = dict(miners=dict(amm=dict(top_k=14)))
