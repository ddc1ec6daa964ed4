# A GEN-VLKT for small images and CPUs: qpic_small.py with 2 + 2 decoder layers, texts of the stand-in CLIP of
# tools/clip/train_toy_clip.py, no mimic loss. Set the data set's HOI classes in the child.
_base_ = ["./qpic_small.py"]
model = dict(
    type="GENVLKT",
    decoder=dict(num_layers=2),
    bbox_head=dict(
        _delete_=True,
        type="HOIClassHead",
        num_obj_classes=80,
        num_verbs=117,
        embed_dims=128,
        clip_dims=64,
        clip="weights/toy_clip.safetensors",
        hoi_prior=0.02,
    ),
)
