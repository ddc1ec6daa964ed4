# First stage of the small TIN on the toy set: the HOI losses alone.
_base_ = ["./tin_toy.py"]
model = dict(bbox_head=dict(interactiveness=None))
