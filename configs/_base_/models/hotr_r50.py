# HOTR with ResNet-50: a frozen DETR (100 instance queries, 92 class outputs in COCO ids) and 16 interaction queries.
_base_ = ["./qpic_r50.py"]
needs_start = "hotr"
model = dict(
    type="HOTR",
    num_queries=16,
    num_instances=100,
    bbox_head=dict(
        _delete_=True,
        type="HOTRHead",
        num_obj_classes=80,
        num_verbs=117,
        embed_dims=256,
        instance_head=dict(
            num_logits=92,
            class_columns=[i for i in range(1, 91) if i not in (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)],
        ),
        temperature=0.2,
    ),
    train_cfg=dict(
        matcher=dict(
            type="PairMatcher",
            costs=[
                dict(type="PointerCost", weight=20.0),
                dict(type="InteractionCost", weight=1.0),
                dict(type="PointedClassCost", weight=1.0),
            ],
        ),
    ),
)
