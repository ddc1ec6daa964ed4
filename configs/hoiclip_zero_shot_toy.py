# The small HOICLIP on the toy set without six combinations of verb and object.
_base_ = ["./hoiclip_toy.py"]
model = dict(bbox_head=dict(unseen="unseen_combination"))
train_dataloader = dict(dataset=dict(zero_shot="unseen_combination"))
val_dataloader = dict(dataset=dict(zero_shot="unseen_combination"))
test_dataloader = val_dataloader
