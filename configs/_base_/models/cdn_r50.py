# CDN-S with ResNet-50 after the official HICO-DET recipe: 3 + 3 decoder layers, 64 queries.
# Set num_obj_classes and num_verbs in the child. The verb loss of the official code (0.5 on every entry, then times 2)
# is QPIC's.
_base_ = ["./qpic_r50.py"]
needs_start = "cdn"
model = dict(type="CDN", num_queries=64, decoder=dict(num_layers=3))
