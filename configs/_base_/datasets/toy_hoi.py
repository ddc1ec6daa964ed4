# ToyHOI, made by tools/dataset_converters/make_toy_hoi.py. Its verbs mean the same in a flipped image.
dataset_type = "ToyHOIDataset"
data_root = "data/toy_hoi/"
train_ann_file = "annotations/trainval_toy.json"
test_ann_file = "annotations/test_toy.json"
train_images = "images/train/"
test_images = "images/test/"

train_pipeline = [
    dict(
        type="KeepInMemory",  # 60 MB for 2,000 images; reading them takes two thirds of the loading
        transforms=[
            dict(type="LoadHOIImage"),
            dict(type="LoadHOIAnnotations", with_bbox=True),
            dict(type="Resize", scale=(96, 96), keep_ratio=False),  # scenes are nearly square: no padding
        ],
    ),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackHOIInputs"),
]
test_pipeline = [
    dict(type="LoadHOIImage"),
    dict(type="Resize", scale=(96, 96), keep_ratio=False),
    dict(type="PackHOIInputs"),
]

train_dataloader = dict(
    batch_size=8,
    num_workers=0,  # images load in a millisecond; processes of their own would cost more
    drop_last=True,
    sampler=dict(type="ResumableSampler", shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file=train_ann_file,
        data_prefix=dict(img=train_images),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file=test_ann_file,
        data_prefix=dict(img=test_images),
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type="HICODetMetric")
test_evaluator = val_evaluator
