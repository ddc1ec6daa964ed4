# DETR-R50 on HICO-DET's boxes, for UPT and PViC: 8 GPUs x 2 images, 30 epochs from COCO weights, by mmdet's own head.
# Source: UPT's repository, which tunes it with learning rate 1e-5, backbone 1e-6.
_base_ = [
    "../_base_/models/detr_r50_instances.py",
    "../_base_/datasets/hico_det.py",
    "../_base_/schedules/upt_20e.py",
    "../_base_/default_runtime.py",
]
model = dict(
    train_cfg=dict(
        assigner=dict(
            type="HungarianAssigner",
            match_costs=[
                dict(type="ClassificationCost", weight=1.0),
                dict(type="BBoxL1Cost", weight=5.0, box_format="xywh"),
                dict(type="IoUCost", iou_mode="giou", weight=2.0),
            ],
        )
    ),
    **_base_.instances.detector,
)
load_from = "weights/detr_r50_8xb2-150e_coco.pth"
optim_wrapper = dict(
    optimizer=dict(lr=1e-5),
    paramwise_cfg=dict(custom_keys={"backbone": dict(lr_mult=0.1)}),
)
param_scheduler = None
# Boxes alone: pairs are not evaluated.
train_cfg = dict(max_epochs=30, val_interval=100)
val_dataloader = None
val_evaluator = None
val_cfg = None
test_dataloader = None
test_evaluator = None
test_cfg = None
default_hooks = dict(checkpoint=dict(save_best=None))
