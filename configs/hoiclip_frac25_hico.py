# HOICLIP on HICO-DET with 25 % of the training images, drawn from a seed; the authors' own subsets are files of theirs.
_base_ = ["./hoiclip_hico.py"]
train_dataloader = dict(dataset=dict(fraction=0.25))
model = dict(bbox_head=dict(verb_file="weights/verbs_frac25_hico.safetensors"))  # of these images
