# Interactiveness learned on HICO-DET, V-COCO and HOI-A together (the paper's RP_T2 mixes the first two): data sets of
# different vocabularies, of which only boxes and "these two interact" are used. Evaluated on HICO-DET.
_base_ = [
    "./_base_/models/interactiveness_r50.py",
    "./_base_/datasets/hico_det_boxes.py",
    "./_base_/schedules/interactiveness.py",
    "./_base_/default_runtime.py",
]
# Annotated boxes give the negatives; with detection files of all three sets, StoredInstances give harder ones.
common = dict(pipeline=_base_.unresized_train)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="ConcatDataset",
        ignore_keys=[
            "dataset_type",
            "classes",
            "category_ids",
            "verbs",
            "verb_ids",
            "valid_pairs",
            "rare_triplets",
            "subject_label",
        ],
        datasets=[
            dict(
                type="HICODetDataset",
                data_root="data/hico_20160224_det/",
                ann_file="annotations/trainval_hico.json",
                data_prefix=dict(img="images/train2015/"),
                **common,
            ),
            dict(
                type="VCOCODataset",
                data_root="data/v-coco/",
                ann_file="annotations/trainval_vcoco.json",
                data_prefix=dict(img="images/train2014/"),
                **common,
            ),
            dict(
                type="HOIADataset",
                data_root="data/hoia/",
                ann_file="annotations/train_2019.json",
                data_prefix=dict(img="images/trainval/"),
                **common,
            ),
        ],
    )
)
val_dataloader = dict(dataset=dict(detections=None))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type="InteractivenessMetric")
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best="interactiveness/mAP"))
