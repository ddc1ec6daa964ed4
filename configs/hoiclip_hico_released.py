# HOICLIP with what its released code does otherwise, for comparison with published checkpoints: padding takes part in
# the interaction decoder, and training-free enhancement is on, as in the published numbers.
_base_ = ["./hoiclip_hico.py"]
model = dict(interaction_decoder=dict(mask_padding=False), bbox_head=dict(enhance_top_k=10))
