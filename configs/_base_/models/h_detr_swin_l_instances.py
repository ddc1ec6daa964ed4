# A frozen H-Deformable-DETR with Swin-L and four scales as provider of instances: the best 100 results.
_base_ = ["./h_detr_r50_instances.py"]
h_detr = dict(
    detector=dict(
        num_queries=900,
        backbone=dict(
            _delete_=True,
            type="SwinTransformer",
            embed_dims=192,
            depths=[2, 2, 18, 2],
            num_heads=[6, 12, 24, 48],
            window_size=7,
            mlp_ratio=4,
            qkv_bias=True,
            drop_path_rate=0.5,
            patch_norm=True,
            out_indices=(1, 2, 3),
            with_cp=True,
            convert_weights=False,
        ),
        neck=dict(in_channels=[384, 768, 1536]),
    )
)
