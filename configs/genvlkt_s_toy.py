# A small GEN-VLKT on the toy set, without mimic loss; needs the stand-in CLIP of hoiclip_toy.py.
_base_ = ["./hoiclip_toy.py"]
model = dict(
    type="GENVLKT",
    interaction_decoder=dict(_delete_=True),
    bbox_head=dict(type="HOIClassHead"),
)
