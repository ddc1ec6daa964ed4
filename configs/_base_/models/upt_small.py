# A UPT for small images and CPUs, trained from scratch. Set the head's classes in the child.
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
    selection=dict(type="InstanceSelection", score_thr=0.2, nms_iou=0.9),
    bbox_head=dict(
        type="UPTHead",
        num_obj_classes=80,
        num_verbs=117,
        in_channels=128,
        map_channels=160,
        embed_dims=128,
        pair_dims=128,
        hidden_dims=256,
        num_branches=8,
        dropout=0.1,
    ),
)
