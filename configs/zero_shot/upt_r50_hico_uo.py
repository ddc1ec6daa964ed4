# UPT, DETR-R50, HICO-DET, zero-shot, UO: 100 unseen combinations of 12 objects.
_base_ = ["../upt_r50_hico.py"]
train_dataloader = dict(dataset=dict(zero_shot="unseen_object"))
val_dataloader = dict(dataset=dict(zero_shot="unseen_object"))
test_dataloader = val_dataloader
