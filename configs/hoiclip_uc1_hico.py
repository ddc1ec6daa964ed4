# HOICLIP on HICO-DET, zero-shot, UC1. Verb file: of seen pairs, tools/clip/make_verb_file.py with this config.
_base_ = ["./hoiclip_hico.py"]
model = dict(bbox_head=dict(unseen="uc1"))
train_dataloader = dict(dataset=dict(zero_shot="uc1"))
val_dataloader = dict(dataset=dict(zero_shot="uc1"))
test_dataloader = val_dataloader
