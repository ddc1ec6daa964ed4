# PViC, H-Deformable-DETR-R50, HICO-DET: 8 GPUs x 2 images, 30 epochs. Scores of a sigmoid detector: exponent 1.7.
# Training needs an H-Deformable-DETR tuned on HICO-DET's boxes: model.instances.checkpoint, see docs/two_stage.md.
_base_ = ["./pvic_r50_hico.py", "./_base_/models/h_detr_r50_instances.py"]
model = dict(instances=dict(_delete_=True, **_base_.h_detr), bbox_head=dict(score_power=1.7))
