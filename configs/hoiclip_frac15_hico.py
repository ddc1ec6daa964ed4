# HOICLIP on HICO-DET with 15 % of the training images, drawn from a seed; the authors' own subsets are files of theirs.
_base_ = ["./hoiclip_hico.py"]
train_dataloader = dict(dataset=dict(fraction=0.15))
