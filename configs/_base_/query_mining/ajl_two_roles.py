# HQM for detectors with two queries per pair (GEN-VLKT, HOICLIP): a shifted pair is encoded into both, 2 x 256.
_base_ = ["./ajl.py"]
query_mining = dict(miners=dict(gbs=dict(embed_dims=512)))
