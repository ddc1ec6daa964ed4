# A frozen H-Deformable-DETR with ResNet-50 and four scales as provider of instances: the best 100 results.
# Images and backbone are those of DINO, the neck but for its biases.
_base_ = ["./dino_r50_instances.py"]
h_detr = dict(
    type="DetectorFeatures",
    detector=dict(
        type="HDeformableDETR",
        num_queries=300,
        num_one2many=1500,
        num_feature_levels=4,
        data_preprocessor=_base_.dino.detector.data_preprocessor,
        backbone=_base_.dino.detector.backbone,
        neck=dict(_base_.dino.detector.neck, bias=True),
        encoder=dict(
            num_layers=6,
            layer_cfg=dict(
                self_attn_cfg=dict(embed_dims=256, batch_first=True, dropout=0.0),
                ffn_cfg=dict(embed_dims=256, feedforward_channels=2048, ffn_drop=0.0),
            ),
        ),
        decoder=dict(
            num_layers=6,
            return_intermediate=True,
            layer_cfg=dict(
                self_attn_cfg=dict(embed_dims=256, num_heads=8, dropout=0.0, batch_first=True),
                cross_attn_cfg=dict(embed_dims=256, batch_first=True, dropout=0.0),
                ffn_cfg=dict(embed_dims=256, feedforward_channels=2048, ffn_drop=0.0),
            ),
            post_norm_cfg=None,
        ),
        positional_encoding=dict(num_feats=128, normalize=True, offset=-0.5),
        bbox_head=dict(
            type="DeformableDETRHead",
            num_classes=80,
            sync_cls_avg_factor=True,
            loss_cls=dict(type="FocalLoss", use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=2.0),
            loss_bbox=dict(type="L1Loss", loss_weight=5.0),
            loss_iou=dict(type="GIoULoss", loss_weight=2.0),
        ),
        test_cfg=dict(max_per_img=100),
    ),
)
