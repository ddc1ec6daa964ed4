# HOICLIP on HICO-DET with 50 % of the training images, drawn from a seed; the authors' own subsets are files of theirs.
_base_ = ["./hoiclip_hico.py"]
train_dataloader = dict(dataset=dict(fraction=0.50))
model = dict(bbox_head=dict(verb_file="weights/verbs_frac50_hico.safetensors"))  # of these images
