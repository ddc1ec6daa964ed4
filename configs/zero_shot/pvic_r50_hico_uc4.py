# PViC, DETR-R50, HICO-DET, zero-shot, UC, split 4: 120 unseen combinations.
_base_ = ["../pvic_r50_hico.py"]
train_dataloader = dict(dataset=dict(zero_shot="uc4"))
val_dataloader = dict(dataset=dict(zero_shot="uc4"))
test_dataloader = val_dataloader
