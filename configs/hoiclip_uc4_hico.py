# HOICLIP on HICO-DET, zero-shot, UC4. The verb file is made of seen pairs:
# python tools/clip/make_verb_file.py configs/hoiclip_uc4_hico.py
_base_ = ["./hoiclip_hico.py"]
model = dict(bbox_head=dict(unseen="uc4", verb_file="weights/verbs_uc4_hico.safetensors"))
train_dataloader = dict(dataset=dict(zero_shot="uc4"))
val_dataloader = dict(dataset=dict(zero_shot="uc4"))
test_dataloader = val_dataloader
