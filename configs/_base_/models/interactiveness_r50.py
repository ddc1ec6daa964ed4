# TIN's interactiveness network without classes: any vocabulary. Boxes as annotated; a detector's make harder negatives
# (model.instances of type StoredInstances, dataset.detections).
_base_ = ["./tin_r50.py"]
model = dict(
    type="Interactiveness",
    instances=dict(type="AnnotatedInstances"),
    bbox_head=dict(_delete_=True, type="InteractivenessHead"),
)
