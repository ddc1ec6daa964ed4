"""GEN-VLKT and HOICLIP small enough for tests."""

from pathlib import Path

from mmengine.config import Config

from tests.models.tiny import tiny_config

HOIS = str(Path(__file__).parents[1] / "data" / "tiny_hois.json")
CLIP = dict(
    size=dict(
        image_size=32, patch_size=16, vision_width=64, vision_layers=1, text_width=64, text_layers=1, embed_dims=24
    )
)
DIMS = 32


def tiny_genvlkt_config(mimic: bool = True, **options) -> Config:
    """With the mimic loss, which reads CLIP's tower in training."""
    cfg = tiny_config(type="GENVLKT", **options)
    cfg.model.mimic_clip = CLIP if mimic else None
    cfg.model.bbox_head.update(type="HOIClassHead", hois=HOIS, clip_dims=24)
    cfg.model.bbox_head.loss_image = dict(type="CLIPMimicLoss") if mimic else None
    return cfg


def tiny_hoiclip_config(**options) -> Config:
    """Its interaction decoder has the width of CLIP's tower."""
    cfg = tiny_config(type="HOICLIP", **options)
    attention = dict(embed_dims=64, num_heads=4, dropout=0.0)
    ffn = dict(embed_dims=64, feedforward_channels=48, num_fcs=2, ffn_drop=0.0)
    cfg.model.clip = CLIP
    cfg.model.interaction_decoder = dict(
        in_dims=DIMS, layer_cfg=dict(self_attn_cfg=attention, cross_attn_cfg=attention, ffn_cfg=ffn)
    )
    cfg.model.bbox_head.update(type="HOICLIPHead", hois=HOIS, clip_dims=24)
    return cfg


CONFIGS = dict(genvlkt=tiny_genvlkt_config, hoiclip=tiny_hoiclip_config)
