# A frozen DINO with Swin-L and five scales as provider of instances: mmdet's, the best 100 results.
_base_ = ["./dino_r50_instances.py"]
dino = dict(
    detector=dict(
        backbone=dict(
            _delete_=True,
            type="SwinTransformer",
            pretrain_img_size=384,
            embed_dims=192,
            depths=[2, 2, 18, 2],
            num_heads=[6, 12, 24, 48],
            window_size=12,
            mlp_ratio=4,
            qkv_bias=True,
            qk_scale=None,
            drop_rate=0.0,
            attn_drop_rate=0.0,
            drop_path_rate=0.2,
            patch_norm=True,
            out_indices=(0, 1, 2, 3),
            with_cp=True,
            convert_weights=False,
        ),
        neck=dict(in_channels=[192, 384, 768, 1536], num_outs=5),
        encoder=dict(layer_cfg=dict(self_attn_cfg=dict(num_levels=5))),
        decoder=dict(layer_cfg=dict(cross_attn_cfg=dict(num_levels=5))),
        num_feature_levels=5,
    )
)
