# PViC, DETR-R50, HICO-DET, zero-shot, RF-UC: 120 unseen combinations, rare ones first.
_base_ = ["../pvic_r50_hico.py"]
train_dataloader = dict(dataset=dict(zero_shot="rare_first"))
val_dataloader = dict(dataset=dict(zero_shot="rare_first"))
test_dataloader = val_dataloader
