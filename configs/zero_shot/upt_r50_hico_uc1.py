# UPT, DETR-R50, HICO-DET, zero-shot, UC, split 1: 120 unseen combinations.
_base_ = ["../upt_r50_hico.py"]
train_dataloader = dict(dataset=dict(zero_shot="uc1"))
val_dataloader = dict(dataset=dict(zero_shot="uc1"))
test_dataloader = val_dataloader
