# HICO-DET with the augmentation of DETR and QPIC. Sources: DETR datasets/coco.py, QPIC datasets/hico.py.
dataset_type = "HICODetDataset"
data_root = "data/hico_20160224_det/"
train_ann_file = "annotations/trainval_hico.json"
test_ann_file = "annotations/test_hico.json"
train_images = "images/train2015/"
test_images = "images/test2015/"

# Pillow resizes as the official code does (antialiased); OpenCV is ten times faster and slightly different.
resize = dict(keep_ratio=True, backend="pillow")
scales = [(size, 1333) for size in range(480, 801, 32)]  # (shorter side, limit of the longer side)

train_pipeline = [
    dict(type="LoadHOIImage"),
    dict(type="LoadHOIAnnotations", with_bbox=True),
    dict(type="RandomFlip", prob=0.5),
    # QPIC's ColorJitter(.4, .4, .4): brightness, contrast, saturation in random order. These steps draw factors in
    # multiples of 0.1.
    dict(
        type="RandomOrder",
        transforms=[
            dict(type="Brightness", min_mag=0.6, max_mag=1.4),
            dict(type="Contrast", min_mag=0.6, max_mag=1.4),
            dict(type="Color", min_mag=0.6, max_mag=1.4),
        ],
    ),
    dict(
        type="RandomChoice",
        transforms=[
            [dict(type="RandomChoiceResize", scales=scales, **resize)],
            [
                dict(type="RandomChoiceResize", scales=[(400, 4200), (500, 4200), (600, 4200)], **resize),
                dict(type="RandomCrop", crop_type="absolute_range", crop_size=(384, 600), allow_negative_crop=True),
                dict(type="RandomChoiceResize", scales=scales, **resize),
            ],
        ],
    ),
    dict(type="PackHOIInputs"),
]
# No annotations: in testing the ground truth is the sample's metainfo `gt_hois`, in the frame of the original image.
test_pipeline = [
    dict(type="LoadHOIImage"),
    dict(type="Resize", scale=(800, 1333), **resize),
    dict(type="PackHOIInputs"),
]

train_dataloader = dict(
    batch_size=2,  # x 8 GPUs
    num_workers=2,
    persistent_workers=True,
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
    batch_size=1,
    num_workers=2,
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
