# A small FCOS of mmdet's for small images and CPUs, 8 classes.
fcos = dict(
    type="FCOS",
    data_preprocessor=dict(
        type="DetDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_size_divisor=16,
    ),
    backbone=dict(
        type="CSPDarknet",
        # channels in, channels out, blocks, shortcut, pyramid pooling
        arch_ovewrite=[[24, 48, 1, True, False], [48, 96, 1, True, False], [96, 160, 1, True, False]],
        act_cfg=dict(type="ReLU", inplace=True),
        out_indices=(2, 3),
    ),
    neck=dict(type="FPN", in_channels=[96, 160], out_channels=128, num_outs=2),
    bbox_head=dict(
        type="FCOSHead",
        num_classes=8,
        in_channels=128,
        feat_channels=128,
        stacked_convs=1,
        strides=[8, 16],
        regress_ranges=((-1, 40), (40, 1e8)),
        center_sampling=True,
        norm_on_bbox=True,
        centerness_on_reg=True,
        loss_cls=dict(type="FocalLoss", use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=1.0),
        loss_bbox=dict(type="GIoULoss", loss_weight=1.0),
        loss_centerness=dict(type="CrossEntropyLoss", use_sigmoid=True, loss_weight=1.0),
    ),
    test_cfg=dict(
        nms_pre=300, min_bbox_size=0, score_thr=0.05, nms=dict(type="nms", iou_threshold=0.6), max_per_img=30
    ),
)
