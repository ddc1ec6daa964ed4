# PViC + HQM, DINO-R50, HICO-DET. DINO decodes the shifted boxes as its denoising queries.
_base_ = [
    "./pvic_dino_r50_hico.py",
    "./_base_/query_mining/ajl.py",
]
model = dict(query_mining=_base_.query_mining)
