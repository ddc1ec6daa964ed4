# PViC, DINO-R50, HICO-DET: 8 GPUs x 2 images, 30 epochs. Scores of a sigmoid detector: exponent 1.7.
# Training needs a DINO tuned on HICO-DET's boxes:
# configs/detectors/dino_r50_hico.py, as model.instances.checkpoint.
_base_ = ["./pvic_r50_hico.py", "./_base_/models/dino_r50_instances.py"]
model = dict(instances=dict(_delete_=True, **_base_.dino), bbox_head=dict(score_power=1.7))
