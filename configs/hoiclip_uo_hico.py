# HOICLIP on HICO-DET, zero-shot, UO. The verb file is made of seen pairs:
# python tools/clip/make_verb_file.py configs/hoiclip_uo_hico.py
_base_ = ["./hoiclip_hico.py"]
model = dict(bbox_head=dict(unseen="unseen_object", verb_file="weights/verbs_uo_hico.safetensors"))
train_dataloader = dict(dataset=dict(zero_shot="unseen_object"))
val_dataloader = dict(dataset=dict(zero_shot="unseen_object"))
test_dataloader = val_dataloader
