# PViC, H-Deformable-DETR-Swin-L, HICO-DET: 8 GPUs x 2 images, 30 epochs, without dropout. Published: 44.32 mAP.
# Training needs an H-Deformable-DETR tuned on HICO-DET's boxes: model.instances.checkpoint, see docs/two_stage.md.
_base_ = ["./pvic_r50_hico.py", "./_base_/models/h_detr_swin_l_instances.py"]
model = dict(
    instances=dict(_delete_=True, **_base_.h_detr),
    bbox_head=dict(score_power=1.7, map_channels=1536, dropout=0.0),
)
