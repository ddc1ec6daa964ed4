# HOICLIP on HICO-DET, zero-shot, UC1. The verb file is made of seen pairs:
# python tools/clip/make_verb_file.py configs/hoiclip_uc1_hico.py
_base_ = ["./hoiclip_hico.py"]
model = dict(bbox_head=dict(unseen="uc1", verb_file="weights/verbs_uc1_hico.safetensors"))
train_dataloader = dict(dataset=dict(zero_shot="uc1"))
val_dataloader = dict(dataset=dict(zero_shot="uc1"))
test_dataloader = val_dataloader
