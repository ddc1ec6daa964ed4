# HOICLIP with ResNet-50 and CLIP ViT-B/32: 3 instance layers of width 256, 3 interaction layers of CLIP's width, 768.
# Set the data set's HOI classes and the verb file in the child.
_base_ = ["./qpic_r50.py"]
needs_start = "hoiclip"
clip = "weights/ViT-B-32.pt"  # or a Hugging Face folder; docs/hoiclip.md says where to get it
attention = dict(embed_dims=768, num_heads=8, dropout=0.1)
model = dict(
    type="HOICLIP",
    num_queries=64,
    decoder=dict(num_layers=3),
    interaction_decoder=dict(
        in_dims=256,
        layer_cfg=dict(
            self_attn_cfg=attention,
            cross_attn_cfg=attention,
            ffn_cfg=dict(embed_dims=768, feedforward_channels=2048, num_fcs=2, ffn_drop=0.1),
        ),
    ),
    clip=dict(size="ViT-B/32", weights=clip),
    bbox_head=dict(type="HOICLIPHead", hois="hico_det", clip_dims=512, clip=clip, verb_weight=0.5),
)
