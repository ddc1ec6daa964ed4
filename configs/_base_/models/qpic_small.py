# A QPIC for small images and CPUs, trained from scratch: thin convolutional backbone up to stride 16, 24 queries.
# Set num_obj_classes and num_verbs in the child.
attention = dict(embed_dims=128, num_heads=8, dropout=0.0)
ffn = dict(embed_dims=128, feedforward_channels=256, num_fcs=2, ffn_drop=0.0)
model = dict(
    type="QPIC",
    num_queries=24,
    channels_last=True,
    data_preprocessor=dict(
        type="HOIDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_size_divisor=1,
    ),
    backbone=dict(
        type="CSPDarknet",
        # channels in, channels out, blocks, shortcut, pyramid pooling
        arch_ovewrite=[[24, 48, 1, True, False], [48, 96, 1, True, False], [96, 160, 1, True, False]],
        act_cfg=dict(type="ReLU", inplace=True),
        out_indices=(3,),
    ),
    neck=dict(
        type="ChannelMapper",
        in_channels=[160],
        out_channels=128,
        kernel_size=1,
        norm_cfg=None,
        act_cfg=None,
        num_outs=1,
    ),
    # A feature map of 6 x 6 has no use for the wavelengths of DETR's default, 10000.
    positional_encoding=dict(num_feats=64, normalize=True, temperature=20),
    encoder=dict(num_layers=2, layer_cfg=dict(self_attn_cfg=attention, ffn_cfg=ffn)),
    decoder=dict(num_layers=3, layer_cfg=dict(self_attn_cfg=attention, cross_attn_cfg=attention, ffn_cfg=ffn)),
    bbox_head=dict(type="HOIHead", num_obj_classes=80, num_verbs=117, embed_dims=128, verb_prior=0.02),
)
