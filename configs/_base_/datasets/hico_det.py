# HICO-DET with the augmentation of DETR and QPIC. Sources: DETR datasets/coco.py, QPIC datasets/hico.py.
dataset_type = "HICODetDataset"
data_root = "data/hico_20160224_det/"
train_ann_file = "annotations/trainval_hico.json"
test_ann_file = "annotations/test_hico.json"
train_images = "images/train2015/"
test_images = "images/test2015/"

scales = [(size, 1333) for size in range(480, 801, 32)]  # (shorter side, limit of the longer side)
resize = dict(type="RandomChoiceResize", scales=scales, resize_type="AntialiasedResize", keep_ratio=True)

train_pipeline = [
    dict(type="LoadHOIImage"),
    dict(type="LoadHOIAnnotations", with_bbox=True),
    dict(type="RandomFlip", prob=0.5),
    dict(type="ColorJitter"),  # QPIC's (.4, .4, .4)
    dict(
        type="RandomChoice",
        transforms=[
            [resize],
            [
                # a crop of 384 to 600 pixels from the image resized to one of these; the part is resized once
                dict(
                    type="RandomCropAtScale",
                    scales=[(400, 4200), (500, 4200), (600, 4200)],
                    crop_type="absolute_range",
                    crop_size=(384, 600),
                    allow_negative_crop=True,
                ),
                resize,
            ],
        ],
    ),
    dict(type="PackHOIInputs"),
]
# No annotations: in testing the ground truth is the sample's metainfo `gt_hois`, in the frame of the original image.
test_pipeline = [
    dict(type="LoadHOIImage", scale=(800, 1333)),  # larger photographs are decoded at a part of their size
    dict(type="AntialiasedResize", scale=(800, 1333), keep_ratio=True),
    dict(type="PackHOIInputs"),
]

# No num_workers: as many as the machine has cores for; `--workers N` sets another number.
train_dataloader = dict(
    batch_size=2,  # x 8 GPUs
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
