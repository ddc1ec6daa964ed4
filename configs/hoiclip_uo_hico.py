# HOICLIP on HICO-DET, zero-shot, UO. Verb file: of seen pairs, tools/clip/make_verb_file.py with this config.
_base_ = ["./hoiclip_hico.py"]
model = dict(bbox_head=dict(unseen="unseen_object"))
train_dataloader = dict(dataset=dict(zero_shot="unseen_object"))
val_dataloader = dict(dataset=dict(zero_shot="unseen_object"))
test_dataloader = val_dataloader
