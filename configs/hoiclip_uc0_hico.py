# HOICLIP on HICO-DET, zero-shot, UC0. The verb file is made of seen pairs:
# python tools/clip/make_verb_file.py configs/hoiclip_uc0_hico.py
_base_ = ["./hoiclip_hico.py"]
model = dict(bbox_head=dict(unseen="uc0", verb_file="weights/verbs_uc0_hico.safetensors"))
train_dataloader = dict(dataset=dict(zero_shot="uc0"))
val_dataloader = dict(dataset=dict(zero_shot="uc0"))
test_dataloader = val_dataloader
