# HOICLIP on HICO-DET, zero-shot, UC3. The verb file is made of seen pairs:
# python tools/clip/make_verb_file.py configs/hoiclip_uc3_hico.py
_base_ = ["./hoiclip_hico.py"]
model = dict(bbox_head=dict(unseen="uc3", verb_file="weights/verbs_uc3_hico.safetensors"))
train_dataloader = dict(dataset=dict(zero_shot="uc3"))
val_dataloader = dict(dataset=dict(zero_shot="uc3"))
test_dataloader = val_dataloader
