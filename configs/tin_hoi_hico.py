# First stage of TIN on HICO-DET: the HOI losses alone, as its authors recommend (issue 50 of their repository).
_base_ = ["./tin_hico.py"]
model = dict(bbox_head=dict(interactiveness=None))
