# The small QPIC on the toy set without six combinations of verb and object.
_base_ = ["./qpic_toy.py"]
train_dataloader = dict(dataset=dict(zero_shot="unseen_combination"))
val_dataloader = dict(dataset=dict(zero_shot="unseen_combination"))
test_dataloader = val_dataloader
