# HOICLIP on HICO-DET, zero-shot, RF-UC. Verb file: of seen pairs, tools/clip/make_verb_file.py with this config.
_base_ = ["./hoiclip_hico.py"]
model = dict(bbox_head=dict(unseen="rare_first"))
train_dataloader = dict(dataset=dict(zero_shot="rare_first"))
val_dataloader = dict(dataset=dict(zero_shot="rare_first"))
test_dataloader = val_dataloader
