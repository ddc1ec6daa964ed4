# HICO-DET for TIN: images as they are, one at a time, and boxes of a detector (tools/detect.py).
_base_ = ["./hico_det.py"]
train_pipeline = [
    dict(type="LoadHOIImage"),
    dict(type="LoadHOIAnnotations", with_bbox=True),
    dict(type="PackHOIInputs"),
]
test_pipeline = [dict(type="LoadHOIImage"), dict(type="PackHOIInputs")]
train_dataloader = dict(batch_size=1, dataset=dict(pipeline=train_pipeline, detections="detections/train2015.json"))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline, detections="detections/test2015.json"))
test_dataloader = val_dataloader
