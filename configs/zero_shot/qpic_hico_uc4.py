# QPIC on HICO-DET, zero-shot, UC, split 4: 120 unseen combinations.
_base_ = ["../qpic_hico.py"]
train_dataloader = dict(dataset=dict(zero_shot="uc4"))
val_dataloader = dict(dataset=dict(zero_shot="uc4"))
test_dataloader = val_dataloader
