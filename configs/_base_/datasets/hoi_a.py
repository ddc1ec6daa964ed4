# HOI-A in PPDM's file format; the pipelines are those of HICO-DET.
_base_ = ["./hico_det.py"]
dataset_type = "HOIADataset"
data_root = "data/hoia/"
train_ann_file = "annotations/train_2019.json"
test_ann_file = "annotations/test_2019.json"
train_images = "images/trainval/"
test_images = "images/test/"

train_dataloader = dict(
    dataset=dict(type=dataset_type, data_root=data_root, ann_file=train_ann_file, data_prefix=dict(img=train_images))
)
val_dataloader = dict(
    dataset=dict(type=dataset_type, data_root=data_root, ann_file=test_ann_file, data_prefix=dict(img=test_images))
)
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type="HOIAMetric")
test_evaluator = val_evaluator
