# PViC, DETR-R50, HICO-DET, zero-shot, NF-UC: 120 unseen combinations, frequent ones first.
_base_ = ["../pvic_r50_hico.py"]
train_dataloader = dict(dataset=dict(zero_shot="non_rare_first"))
val_dataloader = dict(dataset=dict(zero_shot="non_rare_first"))
test_dataloader = val_dataloader
