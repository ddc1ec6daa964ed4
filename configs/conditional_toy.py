# A small Conditional DETR for pairs on the embedded toy set.
_base_ = ["./qpic_toy.py"]
model = dict(type="ConditionalHOI", bbox_head=dict(type="ConditionalHOIHead"))
