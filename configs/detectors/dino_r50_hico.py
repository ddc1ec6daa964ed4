# DINO-R50 on HICO-DET's boxes, for configs/pvic_dino_r50_hico.py: 8 GPUs x 2 images, 30 epochs from COCO weights.
# Source: PViC's repository, which tunes deformable detectors with learning rate 2e-5, a tenth of it for backbone,
# sampling offsets and reference points.
_base_ = ["./detr_r50_hico.py", "../_base_/models/dino_r50_instances.py"]
model = dict(
    _delete_=True,
    train_cfg=dict(
        assigner=dict(
            type="HungarianAssigner",
            match_costs=[
                dict(type="FocalLossCost", weight=2.0),
                dict(type="BBoxL1Cost", weight=5.0, box_format="xywh"),
                dict(type="IoUCost", iou_mode="giou", weight=2.0),
            ],
        )
    ),
    **_base_.dino.detector,
)
load_from = "weights/dino-4scale_r50_8xb2-12e_coco.pth"
optim_wrapper = dict(
    optimizer=dict(lr=2e-5),
    paramwise_cfg=dict(custom_keys={"sampling_offsets": dict(lr_mult=0.1), "reference_points": dict(lr_mult=0.1)}),
)
