# HICO-DET for TIN: images as they are, one at a time, and boxes of a detector (tools/detect.py).
_base_ = ["./hico_det.py", "./unresized.py"]
train_dataloader = dict(
    batch_size=1,
    dataset=dict(pipeline=_base_.unresized_train, detections="detections/train2015.json"),
)
val_dataloader = dict(dataset=dict(pipeline=_base_.unresized_test, detections="detections/test2015.json"))
test_dataloader = val_dataloader
