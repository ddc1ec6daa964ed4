# First stage of TIN on V-COCO: the HOI losses alone.
_base_ = ["./tin_vcoco.py"]
model = dict(bbox_head=dict(interactiveness=None))
