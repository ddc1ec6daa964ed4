# UPT, RTMDet-l, HICO-DET: 8 GPUs x 2 images, 20 epochs. Scores of a sigmoid detector: exponent 1.7.
# Training needs an RTMDet tuned on HICO-DET's boxes:
# configs/detectors/rtmdet_l_hico.py, as model.instances.checkpoint.
_base_ = ["./upt_r50_hico.py", "./_base_/models/rtmdet_l_instances.py"]
model = dict(
    instances=dict(_delete_=True, **_base_.rtmdet_l),
    selection=dict(score_thr=0.05),
    bbox_head=dict(score_power=1.7, in_channels=256, map_channels=1024),
)
