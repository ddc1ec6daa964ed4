# A TIN for small images and CPUs, trained from scratch, on annotated boxes. Set the head's classes in the child.
_base_ = ["./tin_r50.py"]
needs_start = None
model = dict(
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
    instances=dict(type="AnnotatedInstances"),
    pair_sampler=dict(fallback=0),
    training_pairs=dict(jitter=dict(num_copies=6), max_pairs=3, num_negatives=12),
    backbone=dict(
        _delete_=True,
        type="CSPDarknet",
        # channels in, channels out, blocks, shortcut, pyramid pooling
        arch_ovewrite=[[24, 48, 1, True, False], [48, 96, 1, True, False]],
        act_cfg=dict(type="ReLU", inplace=True),
        out_indices=(2,),
    ),
    pair_encoder=dict(
        in_channels=96,
        feature_stride=8,
        region_planes=32,
        region_blocks=1,
        attention_channels=64,
        map_channels=(16, 16),
        norm_cfg=dict(type="BN"),
    ),
    bbox_head=dict(
        region_channels=128,
        context_channels=96,
        layout_channels=2704,
        hidden_channels=128,
        dropout=0.1,
        interactiveness=dict(hidden_channels=64, pose_channels=(8, 8)),
    ),
)
