# A HOICLIP for small images and CPUs: qpic_small.py with 2 + 2 decoder layers and the stand-in CLIP of
# tools/clip/train_toy_clip.py. Set the data set's HOI classes in the child.
_base_ = ["./qpic_small.py"]
clip = "weights/toy_clip.safetensors"
wide = dict(embed_dims=64, num_heads=4, dropout=0.0)
model = dict(
    type="HOICLIP",
    decoder=dict(num_layers=2),
    interaction_decoder=dict(
        in_dims=128,
        layer_cfg=dict(
            self_attn_cfg=wide,
            cross_attn_cfg=wide,
            ffn_cfg=dict(embed_dims=64, feedforward_channels=128, num_fcs=2, ffn_drop=0.0),
        ),
    ),
    clip=dict(
        size=dict(
            image_size=64,
            patch_size=16,
            vision_width=64,
            vision_layers=2,
            text_width=64,
            text_layers=1,
            embed_dims=64,
        ),
        weights=clip,
    ),
    bbox_head=dict(
        _delete_=True,
        type="HOICLIPHead",
        num_obj_classes=80,
        num_verbs=117,
        embed_dims=128,
        clip_dims=64,
        clip=clip,
        hoi_prior=0.02,
    ),
)
