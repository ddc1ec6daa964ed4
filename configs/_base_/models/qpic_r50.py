# QPIC with ResNet-50: DETR's architecture, 100 pair queries. Set num_obj_classes and num_verbs in the child.
# Meant to start from a detector (load_from); `hqm-mmdet train` insists. The value is for `hqm-mmdet convert --model`.
needs_start = "qpic"
model = dict(
    type="QPIC",
    num_queries=100,
    channels_last=True,
    data_preprocessor=dict(
        type="HOIDataPreprocessor",
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
            self_attn_cfg=dict(embed_dims=256, num_heads=8, dropout=0.1),
            ffn_cfg=dict(embed_dims=256, feedforward_channels=2048, num_fcs=2, ffn_drop=0.1),
        ),
    ),
    decoder=dict(
        num_layers=6,
        layer_cfg=dict(
            self_attn_cfg=dict(embed_dims=256, num_heads=8, dropout=0.1),
            cross_attn_cfg=dict(embed_dims=256, num_heads=8, dropout=0.1),
            ffn_cfg=dict(embed_dims=256, feedforward_channels=2048, num_fcs=2, ffn_drop=0.1),
        ),
    ),
    bbox_head=dict(type="HOIHead", num_obj_classes=80, num_verbs=117, embed_dims=256),
)
