# PViC, DETR-R50, HICO-DET, zero-shot, UC, split 0: 120 unseen combinations.
_base_ = ["../pvic_r50_hico.py"]
train_dataloader = dict(dataset=dict(zero_shot="uc0"))
val_dataloader = dict(dataset=dict(zero_shot="uc0"))
test_dataloader = val_dataloader
