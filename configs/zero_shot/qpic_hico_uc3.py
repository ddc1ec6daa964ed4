# QPIC on HICO-DET, zero-shot, UC, split 3: 120 unseen combinations.
_base_ = ["../qpic_hico.py"]
train_dataloader = dict(dataset=dict(zero_shot="uc3"))
val_dataloader = dict(dataset=dict(zero_shot="uc3"))
test_dataloader = val_dataloader
