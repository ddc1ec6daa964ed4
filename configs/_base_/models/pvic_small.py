# A PViC for small images and CPUs, trained from scratch. Set the head's classes in the child.
_base_ = ["./pooled_small.py"]
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
    selection=dict(type="InstanceSelection", score_thr=0.05, nms_iou=0.9, clamp=True),
    bbox_head=dict(
        type="PViCHead",
        num_obj_classes=80,
        num_verbs=117,
        in_channels=128,
        map_channels=160,
        embed_dims=128,
        query_dims=192,
        dropout=0.1,
        loss_verb=dict(gamma=0.1),
    ),
)
