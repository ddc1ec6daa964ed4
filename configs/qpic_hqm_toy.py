# The small QPIC + HQM on the toy set.
_base_ = [
    "./qpic_toy.py",
    "./_base_/query_mining/ajl_small.py",
]
model = dict(query_mining=_base_.query_mining)
# Nothing here is pretrained: queries learn where to look before masking makes them look elsewhere.
custom_hooks = [dict(type="AJLHook", first_alone=0.7)]
