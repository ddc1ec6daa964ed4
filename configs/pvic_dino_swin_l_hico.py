# PViC, DINO-Swin-L, HICO-DET: 8 GPUs x 2 images, 30 epochs, without dropout.
# Training needs a DINO tuned on HICO-DET's boxes: model.instances.checkpoint.
_base_ = ["./pvic_r50_hico.py", "./_base_/models/dino_swin_l_instances.py"]
model = dict(
    instances=dict(_delete_=True, **_base_.dino),
    bbox_head=dict(score_power=1.7, map_channels=1536, dropout=0.0),
)
