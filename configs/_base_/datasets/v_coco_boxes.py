# V-COCO for TIN: images as they are, one at a time, and boxes of a detector (tools/detect.py).
_base_ = ["./v_coco.py", "./unresized.py"]
train_dataloader = dict(
    batch_size=1,
    dataset=dict(pipeline=_base_.unresized_train, detections="detections/trainval.json"),
)
val_dataloader = dict(dataset=dict(pipeline=_base_.unresized_test, detections="detections/test.json"))
test_dataloader = val_dataloader
