# HOTR for V-COCO: 29 verbs, a lower temperature, pairs without object, no loss of the object's class.
_base_ = ["./hotr_r50.py"]
model = dict(
    bbox_head=dict(
        num_verbs=29,
        temperature=0.05,
        ignored_verbs=[1, 4, 18, 23],  # stand, walk, run, smile: no role, not evaluated
        merge_queries=True,
        loss_obj_weight=0.0,
    ),
    train_cfg=dict(
        matcher=dict(costs=[dict(type="PointerCost", weight=10.0), dict(type="InteractionCost", weight=1.0)])
    ),
)
