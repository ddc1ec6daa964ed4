# What the toy study starts from, in place of a DETR trained on COCO: finds pairs and object classes, knows no verbs.
_base_ = ["../qpic_toy.py"]
model = dict(
    bbox_head=dict(
        loss_verb=dict(type="VerbFocalLoss", loss_weight=0.0),
        train_cfg=dict(
            matcher=dict(
                type="PairMatcher",
                costs=[dict(type="ObjectClassCost"), dict(type="PairL1Cost"), dict(type="PairGIoUCost")],
            )
        ),
    )
)
