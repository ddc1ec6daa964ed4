# Annotated boxes as instances, with features of a thin backbone that learns: for small images and CPUs.
instances = dict(
    type="PooledFeatures",
    source=dict(type="AnnotatedInstances"),
    frozen=False,
    backbone=dict(
        type="CSPDarknet",
        # channels in, channels out, blocks, shortcut, pyramid pooling
        arch_ovewrite=[[24, 48, 1, True, False], [48, 96, 1, True, False], [96, 160, 1, True, False]],
        act_cfg=dict(type="ReLU", inplace=True),
        out_indices=(2, 3),
    ),
    # Small boxes are pooled from stride 8.
    neck=dict(
        type="ChannelMapper",
        in_channels=[96, 160],
        out_channels=128,
        kernel_size=1,
        norm_cfg=None,
        act_cfg=None,
        num_outs=2,
    ),
)
