# UPT, DETR-R50, HICO-DET, zero-shot, UV: 84 unseen combinations of 20 verbs.
_base_ = ["../upt_r50_hico.py"]
train_dataloader = dict(dataset=dict(zero_shot="unseen_verb"))
val_dataloader = dict(dataset=dict(zero_shot="unseen_verb"))
test_dataloader = val_dataloader
