# A frozen DETR with ResNet-50 as provider of instances: mmdet's, 80 classes, 100 queries.
# Where its weights are not in the checkpoint that training starts from: model.instances.checkpoint.
instances = dict(
    type="DetectorFeatures",
    detector=dict(
        type="DETR",
        num_queries=100,
        data_preprocessor=dict(
            type="DetDataPreprocessor",
            mean=[123.675, 116.28, 103.53],
            std=[58.395, 57.12, 57.375],
            bgr_to_rgb=True,
            pad_size_divisor=1,
        ),
        backbone=dict(
            type="ResNet",
            depth=50,
            num_stages=4,
            out_indices=(3,),
            frozen_stages=1,
            norm_cfg=dict(type="BN", requires_grad=False),
            norm_eval=True,
            style="pytorch",
        ),
        neck=dict(
            type="ChannelMapper",
            in_channels=[2048],
            out_channels=256,
            kernel_size=1,
            norm_cfg=None,
            act_cfg=None,
            num_outs=1,
        ),
        positional_encoding=dict(num_feats=128, normalize=True),
        encoder=dict(
            num_layers=6,
            layer_cfg=dict(
                self_attn_cfg=dict(embed_dims=256, num_heads=8, dropout=0.1, batch_first=True),
                ffn_cfg=dict(embed_dims=256, feedforward_channels=2048, num_fcs=2, ffn_drop=0.1),
            ),
        ),
        decoder=dict(
            num_layers=6,
            return_intermediate=True,
            layer_cfg=dict(
                self_attn_cfg=dict(embed_dims=256, num_heads=8, dropout=0.1, batch_first=True),
                cross_attn_cfg=dict(embed_dims=256, num_heads=8, dropout=0.1, batch_first=True),
                ffn_cfg=dict(embed_dims=256, feedforward_channels=2048, num_fcs=2, ffn_drop=0.1),
            ),
        ),
        bbox_head=dict(
            type="DETRHead",
            num_classes=80,
            embed_dims=256,
            loss_cls=dict(
                type="CrossEntropyLoss", bg_cls_weight=0.1, use_sigmoid=False, loss_weight=1.0, class_weight=1.0
            ),
            loss_bbox=dict(type="L1Loss", loss_weight=5.0),
            loss_iou=dict(type="GIoULoss", loss_weight=2.0),
        ),
        test_cfg=dict(max_per_img=100),
    ),
)
