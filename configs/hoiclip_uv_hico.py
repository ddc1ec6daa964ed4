# HOICLIP on HICO-DET, zero-shot, UV. The verb file is made of seen pairs:
# python tools/clip/make_verb_file.py configs/hoiclip_uv_hico.py
_base_ = ["./hoiclip_hico.py"]
model = dict(bbox_head=dict(unseen="unseen_verb", verb_file="weights/verbs_uv_hico.safetensors"))
train_dataloader = dict(dataset=dict(zero_shot="unseen_verb"))
val_dataloader = dict(dataset=dict(zero_shot="unseen_verb"))
test_dataloader = val_dataloader
