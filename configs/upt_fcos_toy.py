# The small UPT on a small FCOS that configs/detectors/fcos_toy.py trained: the tutorial of docs/two_stage.md.
_base_ = ["./upt_toy.py", "./_base_/models/fcos_small.py"]
model = dict(
    instances=dict(
        _delete_=True,
        type="DetectorFeatures",
        detector=_base_.fcos,
        checkpoint="work_dirs/fcos_toy/epoch_23.pth",
    ),
    # Scores of a sigmoid detector: a lower threshold and exponent.
    selection=dict(score_thr=0.1, nms_iou=0.5),
    bbox_head=dict(score_power=1.7),
)
