# HOICLIP on HICO-DET, zero-shot, RF-UC. The verb file is made of seen pairs:
# python tools/clip/make_verb_file.py configs/hoiclip_rf_uc_hico.py
_base_ = ["./hoiclip_hico.py"]
model = dict(bbox_head=dict(unseen="rare_first", verb_file="weights/verbs_rf_uc_hico.safetensors"))
train_dataloader = dict(dataset=dict(zero_shot="rare_first"))
val_dataloader = dict(dataset=dict(zero_shot="rare_first"))
test_dataloader = val_dataloader
