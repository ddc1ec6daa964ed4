# A small HOTR on the embedded toy set. Nothing there is pretrained, so the instance branch learns along.
_base_ = [
    "./_base_/models/qpic_small.py",
    "./_base_/datasets/toy_hoi.py",
    "./_base_/schedules/toy.py",
    "./_base_/default_runtime.py",
]
model = dict(
    type="HOTR",
    num_queries=16,
    num_instances=24,
    freeze_instances=False,
    bbox_head=dict(
        _delete_=True,
        type="HOTRHead",
        num_obj_classes=8,
        num_verbs=11,
        embed_dims=128,
        verb_prior=0.02,
        merge_queries=True,  # a person who waves points to itself
    ),
)
