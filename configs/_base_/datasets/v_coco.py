# V-COCO in QPIC's layout; the pipelines are those of HICO-DET. Metrics need the official test files: the folder `data`
# is that of the repository s-gupta/v-coco.
_base_ = ["./hico_det.py"]
dataset_type = "VCOCODataset"
data_root = "data/v-coco/"
train_ann_file = "annotations/trainval_vcoco.json"
test_ann_file = "annotations/test_vcoco.json"
train_images = "images/train2014/"
test_images = "images/val2014/"

train_dataloader = dict(
    dataset=dict(type=dataset_type, data_root=data_root, ann_file=train_ann_file, data_prefix=dict(img=train_images))
)
val_dataloader = dict(
    dataset=dict(type=dataset_type, data_root=data_root, ann_file=test_ann_file, data_prefix=dict(img=test_images))
)
test_dataloader = val_dataloader
# Scores of combinations that the verb-object table forbids become 0, as in QPIC's and CDN's exports.
val_evaluator = dict(
    _delete_=True,
    type="VCOCOMetric",
    ann_file=data_root + "data/vcoco/vcoco_test.json",
    coco_file=data_root + "data/instances_vcoco_all_2014.json",
    protocol="official_masked",
)
test_evaluator = val_evaluator
