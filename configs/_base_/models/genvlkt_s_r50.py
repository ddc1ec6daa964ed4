# GEN-VLKT-S with ResNet-50: 3 instance and 3 interaction layers, 64 pairs of queries, texts of CLIP ViT-B/32.
# Set the data set's HOI classes in the child. The mimic loss reads CLIP's image tower in training only.
_base_ = ["./qpic_r50.py"]
needs_start = "genvlkt"
clip = "weights/ViT-B-32.pt"  # or a Hugging Face folder; docs/hoiclip.md says where to get it
model = dict(
    type="GENVLKT",
    num_queries=64,
    decoder=dict(num_layers=3),
    mimic_clip=dict(size="ViT-B/32", weights=clip),
    bbox_head=dict(
        type="HOIClassHead",
        hois="hico_det",
        clip_dims=512,
        clip=clip,
        loss_image=dict(type="CLIPMimicLoss", loss_weight=20.0),
    ),
)
