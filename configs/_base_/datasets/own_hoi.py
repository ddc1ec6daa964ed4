# Your own data set in the HOIA-style format; names.json holds the names of classes and verbs. See docs/own_data.md.
_base_ = ["./hico_det.py"]
dataset_type = "HOIDataset"
data_root = "data/own/"
names_file = "names.json"
train_ann_file = "train.json"
test_ann_file = "test.json"
train_images = "images/"
test_images = "images/"

train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        names_file=names_file,
        ann_file=train_ann_file,
        data_prefix=dict(img=train_images),
    )
)
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        names_file=names_file,
        ann_file=test_ann_file,
        vocabulary_ann_file=train_ann_file,  # valid combinations and the rare set are counted in it
        data_prefix=dict(img=test_images),
    )
)
test_dataloader = val_dataloader
