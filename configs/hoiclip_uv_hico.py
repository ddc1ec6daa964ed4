# HOICLIP on HICO-DET, zero-shot, UV. Verb file: of seen pairs, tools/clip/make_verb_file.py with this config.
_base_ = ["./hoiclip_hico.py"]
model = dict(bbox_head=dict(unseen="unseen_verb"))
train_dataloader = dict(dataset=dict(zero_shot="unseen_verb"))
val_dataloader = dict(dataset=dict(zero_shot="unseen_verb"))
test_dataloader = val_dataloader
