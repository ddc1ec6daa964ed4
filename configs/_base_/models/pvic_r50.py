# PViC on a frozen DETR-R50. Set the head's classes in the child.
_base_ = ["./detr_r50_instances.py"]
# Meant to start from a detector that was tuned on the boxes of the data set: model.instances.checkpoint, or load_from.
needs_start = "detector"
model = dict(
    type="PairTransformerHOI",
    data_preprocessor=dict(
        type="DetDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_size_divisor=1,
    ),
    instances=_base_.instances,
    selection=dict(
        type="InstanceSelection", score_thr=0.05, min_instances=3, max_instances=15, nms_iou=0.5, clamp=True
    ),
    bbox_head=dict(
        type="PViCHead",
        num_obj_classes=80,
        num_verbs=117,
        hois="hico_det",
        score_power=2.8,
        loss_verb=dict(gamma=0.1),
    ),
)
