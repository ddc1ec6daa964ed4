# HOICLIP on HICO-DET, zero-shot, UC2. The verb file is made of seen pairs:
# python tools/clip/make_verb_file.py configs/hoiclip_uc2_hico.py
_base_ = ["./hoiclip_hico.py"]
model = dict(bbox_head=dict(unseen="uc2", verb_file="weights/verbs_uc2_hico.safetensors"))
train_dataloader = dict(dataset=dict(zero_shot="uc2"))
val_dataloader = dict(dataset=dict(zero_shot="uc2"))
test_dataloader = val_dataloader
